/** Giving back what L2 entries pointed to, in as few steps as the entries allow. */

import { hexHalves, hexPrefixed } from '../format/bytes.ts'
import { type Geometry, type HostOffset, isClusterAligned } from '../format/geometry.ts'
import { clusterType, compressedBytes, compressedOffset, entryOffset, isCopied } from '../format/l2-entry.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { Allocator } from '../refcount/allocator.ts'
import type { DiscardClass, DiscardQueue } from '../refcount/discard-queue.ts'

/** Entries that were taken out of an L2 slice, as pairs of halves. Grows by doubling and is used again. */
export class EntryList {
  #halves: Uint32Array = new Uint32Array(64)
  #count = 0

  get count(): number {
    return this.#count
  }

  add(high: number, low: number): void {
    if (2 * this.#count === this.#halves.length) {
      const larger = new Uint32Array(2 * this.#halves.length)
      larger.set(this.#halves)
      this.#halves = larger
    }
    this.#halves[2 * this.#count] = high
    this.#halves[2 * this.#count + 1] = low
    this.#count++
  }

  high(index: number): number {
    return this.#halves[2 * index]!
  }

  low(index: number): number {
    return this.#halves[2 * index + 1]!
  }
}

/** What freeing needs. */
export interface FreeEntriesOptions {
  readonly geometry: Geometry
  readonly allocator: Allocator
  /** Holes to be punched into a data file: its clusters are not counted. */
  readonly dataFreed: DiscardQueue
  readonly corruption: Corruption
}

/**
 * Takes away one reference from everything that `entries` point to. The slice that held them has been changed and
 * marked dirty before: refcounts on disk wait for it.
 *
 * @param punch - `later`: a data file keeps its content until `dataFreed` is told to let go of it
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_free_any_cluster
 */
export async function freeEntries(
  parts: FreeEntriesOptions,
  entries: EntryList,
  discard: DiscardClass,
  punch: 'now' | 'later' = 'now',
): Promise<void> {
  const { geometry, allocator } = parts
  const options = { discard, unlinked: 'in-cache' } as const
  let start = 0
  let bytes = 0
  const freeRun = async (): Promise<void> => {
    if (bytes > 0 && geometry.externalData) await punchData(parts, { start, bytes, discard, punch })
    else if (bytes > 0) await allocator.free(start as HostOffset, bytes, options)
    bytes = 0
  }
  for (let index = 0; index < entries.count; index++) {
    const high = entries.high(index)
    const low = entries.low(index)
    const type = clusterType(high, low, geometry)
    if (type === 'compressed' && geometry.externalData) {
      // Nothing was ever counted for it: what it names belongs to somebody else.
      const what = `Compressed cluster entry 0x${hexHalves(high, low)} found in image with external data file`
      await parts.corruption.signal('minor', what)
    } else if (type === 'compressed') {
      await allocator.free(compressedOffset(geometry, high, low), compressedBytes(geometry, high, low), options)
    }
    if (type !== 'normal' && type !== 'zero-alloc') continue
    const offset = entryOffset(high, low)
    if (!isClusterAligned(geometry, offset)) {
      await parts.corruption.signal('minor', `Cannot free unaligned cluster ${hexPrefixed(offset)}`)
      continue
    }
    if (bytes > 0 && offset === start + bytes) {
      bytes += geometry.clusterSize
      continue
    }
    await freeRun()
    start = offset
    bytes = geometry.clusterSize
  }
  await freeRun()
}

/** What decides whether guest clusters keep their places when they are given up. */
export interface KeepPlacesOptions {
  /** `discard-no-unref`. */
  keepsPlaces(): boolean
  version(): number
}

/**
 * Whether a guest cluster that is discarded, or zeroed with leave to unmap, only becomes a zero cluster and keeps its
 * place. One that is shared with a snapshot does not: nothing would be left to be written in place.
 */
export function keepsPlace(
  { geometry, keepsPlaces, version }: KeepPlacesOptions & { readonly geometry: Geometry },
  high: number,
  low: number,
): boolean {
  if (!keepsPlaces() || version() < 3) return false
  const type = clusterType(high, low, geometry)
  const hasPlace = type === 'normal' || type === 'zero-alloc'
  return hasPlace && isCopied(high) && isClusterAligned(geometry, entryOffset(high, low))
}

/** Punches holes into clusters whose entries keep them, but say zero. A hole reads as zeroes: it may come first. */
export async function punchEntries({ geometry, dataFreed }: FreeEntriesOptions, entries: EntryList): Promise<void> {
  const clusterAt = (index: number): number =>
    entryOffset(entries.high(index), entries.low(index)) / geometry.clusterSize
  for (let index = 0; index < entries.count; ) {
    const first = clusterAt(index)
    let count = 1
    while (index + count < entries.count && clusterAt(index + count) === first + count) count++
    await dataFreed.punch(first, count, 'request')
    index += count
  }
}

/** Clusters of a data file belong to their guest offsets for good; all that can be given back is their space. */
async function punchData(
  { geometry, dataFreed }: FreeEntriesOptions,
  run: {
    readonly start: number
    readonly bytes: number
    readonly discard: DiscardClass
    readonly punch: 'now' | 'later'
  },
): Promise<void> {
  const first = run.start / geometry.clusterSize
  const clusterCount = run.bytes / geometry.clusterSize
  if (run.punch === 'now') await dataFreed.punch(first, clusterCount, run.discard)
  else dataFreed.add(first, clusterCount, run.discard)
}

/** What freeing a table's entries needs. */
export interface FreeTableOptions extends FreeEntriesOptions {
  readonly l2Tables: { readonly cache: TableCache }
}

/**
 * Takes away one reference from everything that the entries of the L2 table at `table` point to, from number `from` on.
 * The table itself is as it was: nobody refers to it any more, or only to its first entries.
 */
export async function freeTableEntries(parts: FreeTableOptions, table: HostOffset, from: number): Promise<void> {
  const { geometry } = parts
  const { cache } = parts.l2Tables
  // A data file is cut at the new end. An entry that names a place before it names another guest cluster's.
  if (geometry.externalData) return
  for (let at = 0; at < geometry.clusterSize; at += cache.entrySize) {
    const first = Math.max(0, from * geometry.l2EntrySize - at)
    if (first >= cache.entrySize) continue
    const list = new EntryList()
    const start = cache.start(await cache.load(table + at))
    for (let byte = first; byte < cache.entrySize; byte += geometry.l2EntrySize) {
      const high = cache.view.getUint32(start + byte)
      const low = cache.view.getUint32(start + byte + 4)
      if (high !== 0 || low !== 0) list.add(high, low)
    }
    await freeEntries(parts, list, 'always')
  }
}
