/**
 * Making a disk shorter.
 *
 * The new L1 table, and a copy of the one L2 table through which the new end runs, are written beside the old ones, and
 * size and L1 table change in one header write: a power cut leaves the whole old disk or the new one. What the old
 * tables held beyond the end is given up only after that, so that a cut, or a failure, costs leaks at most. The
 * reference unmaps in place first and stores the size last: a cut in between leaves the old size over a tail that reads
 * as zeroes, or as the backing file.
 */

import { assert, toBlockError } from '@blocklayer/block-core/driver'
import { exclusively } from '../../data/exclusive.ts'
import type { InFlightWrites } from '../../data/in-flight.ts'
import { viewOf } from '../../format/bytes.ts'
import { entryBytes } from '../../format/constants.ts'
import { type Geometry, type HostOffset, isClusterAligned } from '../../format/geometry.ts'
import { entryHigh, entryLow } from '../../format/l2-entry.ts'
import { freeTableEntries, type FreeEntriesOptions } from '../../mapping/free-entries.ts'
import type { L1Table } from '../../mapping/l1-table.ts'
import type { L2Tables } from '../../mapping/l2-table.ts'
import type { DataFile } from '../../metadata/data-file.ts'
import type { HeaderStore } from '../../metadata/header-store.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { MetadataLock } from '../../metadata/metadata-lock.ts'
import type { DiscardQueue } from '../../refcount/discard-queue.ts'
import { lastUsedCluster } from '../../refcount/last-cluster.ts'
import type { Refblocks } from '../../refcount/refblock.ts'
import type { Refcounts } from '../../refcount/refcounts.ts'
import { dropEmptyRefblocks } from '../../refcount/shrink.ts'
import type { ImageFile } from '../../metadata/image-file.ts'
import { named } from './named.ts'

/** What shrinking is made of. */
export interface ShrinkParts extends FreeEntriesOptions {
  readonly file: ImageFile
  readonly data: DataFile
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly inFlight: InFlightWrites
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly l1: L1Table
  readonly l2Tables: L2Tables
  readonly refblocks: Refblocks
  readonly refcounts: Refcounts
  readonly freed: DiscardQueue
  /** Gives the caches the sizes that go with the disk's; the lock is held. */
  fitCaches(): Promise<void>
  /** A line for the user's eyes. */
  report(line: string): void
  warn(message: string): void
}

/** What of one L1 entry's table lies beyond the new end. */
interface CutTable {
  readonly offset: HostOffset
  /** Entries of it that stay, in a copy. */
  readonly kept: number
}

/**
 * Changes the virtual size to `length` bytes, which is less than now. The metadata lock is free on entry.
 *
 * @throws BlockError with the reference's messages; the disk then has its old size and content
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_truncate; spec/qcow2.md, section 3.12
 */
export async function shrink(parts: ShrinkParts, length: number): Promise<void> {
  const { geometry } = parts
  const end = Math.ceil(length / geometry.clusterSize) * geometry.clusterSize
  // Writes under way beyond the end would link their clusters into tables that are gone.
  await exclusively(parts, end, Number.POSITIVE_INFINITY, async () => {
    const cut = await named('Failed to discard cropped clusters', () => cutMapping(parts, end))
    if (cut === undefined) await named('Failed to update the image size', () => parts.header.storeSize(length))
    else await named('Failed to reduce the number of L2 tables', () => activate(parts, cut, length))
    await parts.fitCaches()
    if (cut !== undefined) await giveUp(parts, cut)
    await cropFiles(parts, length)
  })
}

interface Cut {
  readonly l1: Uint8Array
  readonly tables: readonly CutTable[]
  /** L1 entry of the table through which the new end runs, and its copy where there is one. */
  readonly boundary: number
  readonly copy: HostOffset | undefined
}

/** The mapping up to `end`, durable as far as it is new; `undefined` where nothing is mapped beyond. */
async function cutMapping(parts: ShrinkParts, end: number): Promise<Cut | undefined> {
  const { geometry, l1, l2Tables } = parts
  const boundary = Math.floor(end / geometry.l2Coverage)
  const kept = (end % geometry.l2Coverage) / geometry.clusterSize
  const bytes = l1.bytes.slice()
  const view = viewOf(bytes)
  const tables: CutTable[] = []
  let copy: HostOffset | undefined
  for (let index = boundary; index < l1.entryCount; index++) {
    const offset = l1.offsetOf(index)
    if (offset === 0) continue
    const keeps = index === boundary ? kept : 0
    if (keeps > 0 && !(await l2Tables.hasEntriesFrom(offset, keeps))) continue
    tables.push({ offset, kept: keeps })
    if (keeps > 0) copy = await l2Tables.makeCopy(offset, keeps)
    view.setUint32(index * entryBytes, keeps > 0 && copy !== undefined ? entryHigh(copy, true) : 0)
    view.setUint32(index * entryBytes + 4, keeps > 0 && copy !== undefined ? entryLow(copy) : 0)
  }
  return tables.length === 0 ? undefined : { l1: bytes, tables, boundary, copy }
}

async function activate({ caches, l1, allocator }: ShrinkParts, cut: Cut, length: number): Promise<void> {
  try {
    await caches.flush()
    await l1.switchTo(cut.l1, length, 'l1_shrink_write_table')
  } catch (error) {
    // After a failed flush the new table may be in force all the same.
    const isInForce = l1.bytes === cut.l1
    if (cut.copy !== undefined && !isInForce) {
      await allocator.freeTable(cut.copy, { discard: 'always', unlinked: 'on-disk' })
    }
    throw toBlockError(error)
  }
}

/** Frees what nobody can see any more. The disk has its new size: what fails from here on is a leak, and is reported. */
async function giveUp(parts: ShrinkParts, { tables, boundary, copy }: Cut): Promise<void> {
  const { file, geometry, allocator, caches, freed, l1, l2Tables, report } = parts
  try {
    await file.debugEvent('l1_shrink_free_l2_clusters')
    for (const { offset, kept } of tables) {
      if (!isClusterAligned(geometry, offset)) continue
      await freeTableEntries(parts, offset, kept)
      await allocator.freeTable(offset, { discard: 'always', unlinked: 'on-disk' })
    }
    await caches.flush()
    await freed.releaseAll()
    // The new tables lie behind all that was there before, and would keep the file long.
    if (copy !== undefined) await l2Tables.moveDown(boundary)
    await l1.moveDown()
    await dropEmptyRefblocks(parts)
    await caches.flush()
  } catch (error) {
    report(`qcow2_free_clusters failed: ${toBlockError(error).errnoText}`)
  }
}

/** Takes off the files what nothing uses, for a disk of `length` bytes. Where that fails, it is said. The lock is held. */
export async function cropFiles(parts: ShrinkParts, length: number): Promise<void> {
  await cropFile(parts)
  await cropData(parts, length)
}

/** The file ends with its last cluster in use. A longer one is no harm. */
async function cropFile({ file, geometry, refblocks, caches, freed, warn }: ShrinkParts): Promise<void> {
  try {
    // Clusters that count as free may still be referred to on disk: a power cut must find them.
    await caches.flush()
    await freed.releaseAll()
    const last = await lastUsedCluster(refblocks, Math.ceil(file.length / geometry.clusterSize))
    assert(last >= 0, 'the header itself is in use')
    const end = (last + 1) * geometry.clusterSize
    if (file.length > end) await file.truncate(end)
  } catch (error) {
    warn(`Failed to truncate the tail of the image: ${toBlockError(error).errnoText}`)
  }
}

/** A data file ends with the disk: nothing that was there comes back when the disk grows again. */
async function cropData({ data, warn }: ShrinkParts, length: number): Promise<void> {
  if (!data.isExternal) return
  try {
    await data.file.truncate(length)
  } catch (error) {
    warn(`Failed to truncate the data file: ${toBlockError(error).errnoText}`)
  }
}
