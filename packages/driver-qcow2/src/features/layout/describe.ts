/** What an image's file is made of, from its tables. */

import type { LayoutKind, LayoutOptions, LayoutRun } from '@blocklayer/block-core/driver'
import { viewOf } from '../../format/bytes.ts'
import { type BitmapEntry, bitmapDataOffset } from '../../format/bitmap-entry.ts'
import { entryBytes } from '../../format/constants.ts'
import { type Geometry, isClusterAligned } from '../../format/geometry.ts'
import { getRefcount } from '../../format/refcount-bits.ts'
import type { HeaderStore } from '../../metadata/header-store.ts'
import type { ImageFile } from '../../metadata/image-file.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { MetadataLock } from '../../metadata/metadata-lock.ts'
import type { RefcountTable } from '../../refcount/refcount-table.ts'
import type { SnapshotTable } from '../snapshot/table-store.ts'
import { FileClaims } from './claims-on-file.ts'
import { type MapWalk, walkMap } from './walk-map.ts'

/** What the format calls what a layout tells of. */
export const layoutNames: Readonly<Partial<Record<LayoutKind, string>>> = {
  'map-root': 'L1 table',
  map: 'L2 tables',
  'counts-root': 'refcount table',
  counts: 'refcount blocks',
  snapshot: 'tables of snapshots',
  reserved: 'preallocated, reads as zeroes',
}

/** Half a byte for each cluster: enough for 8 TiB in clusters of 64 KiB. */
const memoryDefault = 64 * 1024 * 1024

/** What of an open image a description looks at. */
export interface LayoutParts {
  readonly file: ImageFile
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly state: { readonly snapshots: SnapshotTable; readonly bitmaps: readonly BitmapEntry[] }
  readonly refcountTable: RefcountTable
  readonly caches: MetadataCaches
  readonly lock: MetadataLock
}

/**
 * Every place of the file that is taken. See `LayoutSupport`.
 *
 * @throws BlockError `ENOMEM` for a file of more clusters than memory allows, or whatever reading meets
 */
export async function* describeLayout(parts: LayoutParts, job: LayoutOptions = {}): AsyncGenerator<LayoutRun> {
  const { file, geometry, header, state, caches } = parts
  // Tables are read from the file: what only the caches know must be there.
  if (caches.l2Tables.isDirty) await parts.lock.run(() => caches.flush())
  const claims = new FileClaims(geometry, file.length, job.memoryMax ?? memoryDefault)
  const walk: MapWalk = { file, geometry, claims, job }
  claims.table('header', 0, geometry.clusterSize)
  const { crypto } = header.extensions
  if (crypto !== undefined) claims.table('header', crypto.offset, crypto.bytes)
  const { refcountTableOffset, refcountTableClusters, l1TableOffset, l1Size, snapshotsOffset } = header.header
  claims.table('counts-root', refcountTableOffset, refcountTableClusters * geometry.clusterSize)
  claimRefblocks(parts, claims)
  yield* walkMap(walk, { offset: l1TableOffset, entries: l1Size, ofSnapshot: false })
  claims.table('snapshot', snapshotsOffset, state.snapshots.bytes)
  for (const { l1TableOffset: offset, l1Size: entries } of state.snapshots.entries) {
    yield* walkMap(walk, { offset, entries, ofSnapshot: true })
  }
  yield* claimBitmaps(parts, walk)
  yield* findLeaks(parts, walk)
  yield* claims.rest()
}

function claimRefblocks({ refcountTable, geometry }: LayoutParts, claims: FileClaims): void {
  for (let index = 0; index < refcountTable.entryCount; index++) {
    const offset = refcountTable.offsetOf(index)
    if (offset !== 0) claims.table('counts', offset, geometry.clusterSize)
  }
}

async function* claimBitmaps({ header, state, file, geometry }: LayoutParts, walk: MapWalk): AsyncGenerator<LayoutRun> {
  const { bitmaps } = header.extensions
  if (bitmaps === undefined) return
  const { claims, job } = walk
  claims.table('bitmap', bitmaps.directoryOffset, bitmaps.directorySize)
  const table = new Uint8Array(geometry.clusterSize)
  for (const { tableOffset, tableSize } of state.bitmaps) {
    if (!claims.table('bitmap', tableOffset, tableSize * entryBytes)) continue
    for (let done = 0; done < tableSize; done += geometry.entriesPerCluster) {
      job.signal?.throwIfAborted()
      const part = table.subarray(0, Math.min(tableSize - done, geometry.entriesPerCluster) * entryBytes)
      await file.read(tableOffset + done * entryBytes, part)
      const view = viewOf(part)
      for (let at = 0; at < part.length; at += entryBytes) {
        const offset = bitmapDataOffset(view.getUint32(at), view.getUint32(at + 4))
        if (offset !== 0) claims.table('bitmap', offset, geometry.clusterSize)
      }
      yield* claims.ready()
    }
  }
}

/** Clusters that are counted, and that nothing has claimed. */
async function* findLeaks({ refcountTable, file, geometry }: LayoutParts, walk: MapWalk): AsyncGenerator<LayoutRun> {
  const { claims, job } = walk
  const { clusterSize, refblockEntries, refcountOrder } = geometry
  const clusters = Math.ceil(file.length / clusterSize)
  const block = new Uint8Array(clusterSize)
  for (let index = 0; index < refcountTable.entryCount && index * refblockEntries < clusters; index++) {
    job.signal?.throwIfAborted()
    const offset = refcountTable.offsetOf(index)
    if (offset === 0 || !isClusterAligned(geometry, offset) || offset >= file.length) continue
    await file.read(offset, block)
    const first = index * refblockEntries
    const count = Math.min(refblockEntries, clusters - first)
    for (let at = 0; at < count; at++) {
      const cluster = first + at
      if (claims.taken.get(cluster) !== undefined || getRefcount(block, refcountOrder, at) === 0) continue
      claims.tell({ kind: 'leaked', offset: cluster * clusterSize, bytes: clusterSize })
    }
    job.onProgress?.({ current: first + count, total: clusters })
    yield* claims.ready()
  }
}
