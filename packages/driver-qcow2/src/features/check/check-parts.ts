/** What a check is made of: the image's rooms, and a voice. */

import type { Child, JobOptions } from '@blocklayer/block-core/driver'
import type { Geometry } from '../../format/geometry.ts'
import type { L1Table } from '../../mapping/l1-table.ts'
import type { HeaderStore } from '../../metadata/header-store.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { OverlapCheck } from '../../metadata/overlap-check.ts'
import type { Allocator } from '../../refcount/allocator.ts'
import type { DiscardQueue } from '../../refcount/discard-queue.ts'
import type { FreeSearch } from '../../refcount/free-search.ts'
import type { Refblocks } from '../../refcount/refblock.ts'
import type { Refcounts } from '../../refcount/refcounts.ts'
import type { SnapshotTable } from '../snapshot/table-store.ts'

/** The rooms that a check looks at, and mends through. Tables are read from the file itself, past the caches. */
export interface CheckParts {
  readonly file: Child
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly overlap: OverlapCheck
  readonly refblocks: Refblocks
  readonly refcounts: Refcounts
  readonly search: FreeSearch
  readonly freed: DiscardQueue
  readonly allocator: Allocator
  readonly l1: L1Table
  /** What the image knows of its snapshot table: nothing where it was opened for a check. */
  readonly state: { snapshots: SnapshotTable }
  /** Takes a line for the user's eyes, printed as it is. */
  report(line: string): void
  /** Takes a message that is printed behind the program's name. */
  reportError(message: string): void
}

/** Steps of a check tell how far they are and stop when asked to. */
export type CheckJob = JobOptions
