/** The tables of a streamed image as bytes, one cluster at a time, in the order of the file. */

import { viewOf, writeU64 } from '../../format/bytes.ts'
import { copiedFlagHigh, entryBytes } from '../../format/constants.ts'
import { type Geometry, hostOffset } from '../../format/geometry.ts'
import { encodeCompressed, entryHigh, entryLow } from '../../format/l2-entry.ts'
import { getRefcount, setRefcount } from '../../format/refcount-bits.ts'
import type { PlacedCluster, StoredClusters } from './stored-clusters.ts'
import type { TablePlan } from './table-plan.ts'

/** What the tables tell. */
export interface EncodedImage {
  readonly geometry: Geometry
  readonly plan: TablePlan
  readonly stored: StoredClusters
}

/** Every cluster of the tables, from the plan's first to its last. Each is valid until the next is asked for. */
export function* encodeTables(image: EncodedImage): Generator<Uint8Array> {
  yield* pointers(image, image.plan.refcountTableClusters, refblockPlaces(image))
  yield* pointers(image, image.plan.l2Start - image.plan.l1Start, l2Places(image))
  yield* l2Tables(image)
  yield* refblocks(image)
}

/** An entry of a table of pointers. */
interface Pointer {
  readonly index: number
  /** Byte offset. */
  readonly offset: number
  readonly isCopied: boolean
}

function* refblockPlaces({ geometry, plan }: EncodedImage): Generator<Pointer> {
  for (const [i, index] of plan.refblocks.entries()) {
    yield { index, offset: (plan.refblocksStart + i) * geometry.clusterSize, isCopied: false }
  }
}

function* l2Places({ geometry, plan, stored }: EncodedImage): Generator<Pointer> {
  const at = stored.placedFrom(0)
  let [last, count] = [-1, 0]
  while (at.next()) {
    const index = Math.floor(at.cluster / geometry.l2Entries)
    if (index === last) continue
    last = index
    yield { index, offset: (plan.l2Start + count++) * geometry.clusterSize, isCopied: true }
  }
}

/** A table of `clusters` clusters with `entries`, which come in ascending order. */
function* pointers({ geometry }: EncodedImage, clusters: number, entries: Iterator<Pointer>): Generator<Uint8Array> {
  const { entriesPerCluster, clusterSize } = geometry
  let next = entries.next()
  for (let cluster = 0; cluster < clusters; cluster++) {
    const bytes = new Uint8Array(clusterSize)
    const view = viewOf(bytes)
    for (; next.done !== true && next.value.index < (cluster + 1) * entriesPerCluster; next = entries.next()) {
      const { index, offset, isCopied } = next.value
      const at = (index % entriesPerCluster) * entryBytes
      writeU64(view, at, offset)
      if (isCopied) view.setUint32(at, (view.getUint32(at) | copiedFlagHigh) >>> 0)
    }
    yield bytes
  }
}

function* l2Tables({ geometry, plan, stored }: EncodedImage): Generator<Uint8Array> {
  const bytes = new Uint8Array(geometry.clusterSize)
  const view = viewOf(bytes)
  const at = stored.placedFrom(plan.dataStart * geometry.clusterSize)
  let table = -1
  while (at.next()) {
    const index = Math.floor(at.cluster / geometry.l2Entries)
    if (index !== table) {
      if (table >= 0) yield bytes
      bytes.fill(0)
      table = index
    }
    encodeEntry(geometry, view, at)
  }
  if (table >= 0) yield bytes
}

function encodeEntry(geometry: Geometry, view: DataView, { cluster, host, compressedBytes }: PlacedCluster): void {
  const at = (cluster % geometry.l2Entries) * geometry.l2EntrySize
  const place = hostOffset(host)
  if (compressedBytes > 0) {
    const { high, low } = encodeCompressed(geometry, place, compressedBytes)
    view.setUint32(at, high)
    view.setUint32(at + 4, low)
    return
  }
  view.setUint32(at, entryHigh(place, true))
  view.setUint32(at + 4, entryLow(place))
  // All subclusters are allocated. A compressed cluster has no subclusters.
  if (geometry.extendedL2) view.setUint32(at + 12, 0xffffffff)
}

function* refblocks({ geometry, plan, stored }: EncodedImage): Generator<Uint8Array> {
  const { refblockEntries, refcountOrder, clusterSize } = geometry
  const bytes = new Uint8Array(clusterSize)
  const at = stored.placedFrom(plan.dataStart * clusterSize)
  let more = at.next()
  /** First host cluster of the data that has not been counted. */
  let counted = Math.floor(at.host / clusterSize)
  for (const index of plan.refblocks) {
    bytes.fill(0)
    const [first, end] = [index * refblockEntries, (index + 1) * refblockEntries]
    if (index === 0) setRefcount(bytes, refcountOrder, 0, 1)
    const tables = Math.max(first, plan.refcountTableStart)
    for (let used = tables; used < Math.min(end, plan.tablesEnd); used++) {
      setRefcount(bytes, refcountOrder, used - first, 1)
    }
    while (more) {
      const last = Math.floor((at.end - 1) / clusterSize)
      for (
        counted = Math.max(counted, Math.floor(at.host / clusterSize));
        counted <= Math.min(last, end - 1);
        counted++
      ) {
        setRefcount(bytes, refcountOrder, counted - first, getRefcount(bytes, refcountOrder, counted - first) + 1)
      }
      // What reaches into the next block is counted on there.
      if (last >= end) break
      more = at.next()
      counted = Math.floor(at.host / clusterSize)
    }
    yield bytes
  }
}
