/**
 * Space for the new part of a growing disk: host clusters that are counted, linked, and read as zeroes.
 *
 * They are taken behind all that the file holds, where nothing has ever been written: a cluster that was used before
 * would show its old content. They are linked while the disk still has its old size, so that a power cut, or a failure,
 * leaves at worst space that the disk will use when it grows the next time.
 */

import type { JobOptions, JobProgress, Preallocation } from '@blocklayer/block-core/driver'
import { type Geometry, type GuestOffset, guestOffset, type HostOffset, hostOffset } from '../../format/geometry.ts'
import { entryHigh, entryLow } from '../../format/l2-entry.ts'
import { allSubclusters, storeSubclusters } from '../../format/subclusters.ts'
import type { L2Tables } from '../../mapping/l2-table.ts'
import type { Linker } from '../../mapping/link.ts'
import type { ImageFile } from '../../metadata/image-file.ts'
import type { TableCache } from '../../metadata/table-cache.ts'
import type { Allocator } from '../../refcount/allocator.ts'
import { lastUsedCluster } from '../../refcount/last-cluster.ts'
import type { Refblocks } from '../../refcount/refblock.ts'

/** What preallocation is made of. */
export interface PreallocateParts {
  readonly file: ImageFile
  readonly geometry: Geometry
  readonly allocator: Allocator
  readonly refblocks: Refblocks
  readonly l2Tables: L2Tables
  readonly linker: Linker
}

/** What is to be preallocated. */
export interface PreallocateRange extends JobOptions {
  /** First guest byte; cluster aligned. */
  readonly start: number
  /** End of the new disk. */
  readonly end: number
  readonly preallocation: Preallocation
  /** The clusters are to hide a backing file, by a flag or as data. */
  readonly zero: boolean
}

/** Halves of the bitmap of new entries. */
interface NewBits {
  readonly zeroBits: number
  readonly allocBits: number
}

/**
 * Preallocates the clusters of a range that has none. The metadata lock is held; the L1 table covers the range.
 *
 * @throws BlockError of the file, `range.signal.reason`; what was linked until then stays
 * @see QEMU 7.2 block/qcow2.c: preallocate_co, qcow2_co_truncate
 */
export async function preallocate(parts: PreallocateParts, range: PreallocateRange): Promise<void> {
  const { clusterSize } = parts.geometry
  const { signal } = range
  const total = range.end - range.start
  const tell = (end: number): void => range.onProgress?.({ current: Math.min(end, range.end) - range.start, total })
  let at = range.start
  const onProgress = ({ current }: JobProgress): void => tell(at + current)
  const space = new FreshSpace(parts, range.preallocation, { signal, onProgress })
  while (at < range.end) {
    const { place, clusterCount } = await space.take(Math.ceil((range.end - at) / clusterSize))
    // Space that the file is asked for reads as zeroes by itself: as in the reference, only mere metadata is flagged.
    const zero = range.zero && range.preallocation === 'metadata'
    await link(parts, { at, place, clusterCount, zero, bits: newBits(range), signal })
    at += clusterCount * clusterSize
    tell(at)
  }
}

/** Space behind all that the file holds. */
class FreshSpace {
  readonly #parts: PreallocateParts
  readonly #mode: Preallocation
  readonly #job: JobOptions
  /** Number of the cluster to be tried next. */
  #next: number | undefined

  constructor(parts: PreallocateParts, mode: Preallocation, job: JobOptions = {}) {
    this.#parts = parts
    this.#mode = mode
    this.#job = job
  }

  /** Counts up to `wanted` consecutive clusters and makes the file so long. */
  async take(wanted: number): Promise<{ readonly place: HostOffset; readonly clusterCount: number }> {
    const { allocator, file, geometry } = this.#parts
    const { clusterSize } = geometry
    let next = this.#next ?? (await this.#first())
    let taken = await allocator.allocateAt(hostOffset(next * clusterSize), wanted)
    // Refcount blocks and L2 tables that become necessary on the way may take the place we had in mind.
    while (taken === 0) taken = await allocator.allocateAt(hostOffset(++next * clusterSize), wanted)
    this.#next = next + taken
    const place = hostOffset(next * clusterSize)
    const bytes = taken * clusterSize
    try {
      const options = { preallocation: hostMode(this.#mode), ...this.#job }
      await file.truncate(Math.max(file.length, place + bytes), options)
    } catch (error) {
      await allocator.free(place, bytes, { discard: 'other', unlinked: 'on-disk' })
      throw error
    }
    return { place, clusterCount: taken }
  }

  async #first(): Promise<number> {
    const { file, geometry, refblocks } = this.#parts
    const fileEnd = Math.ceil(file.length / geometry.clusterSize)
    return Math.max(fileEnd, (await lastUsedCluster(refblocks, fileEnd)) + 1)
  }
}

/**
 * Gives the cluster at guest offset `at` a place in the file, or in the data file, if it has none. What its subclusters
 * show stays: the cluster has some already that the disk did not end in.
 *
 * @see QEMU 7.2 block/qcow2.c: preallocate_co, which begins at the disk's old end
 */
export async function reservePlace(parts: PreallocateParts, at: GuestOffset, mode: Preallocation): Promise<void> {
  const { l2Tables, geometry } = parts
  const slot = await l2Tables.loadForUpdate(at)
  const position = l2Tables.entryPosition(slot, at)
  const high = l2Tables.cache.view.getUint32(position)
  const low = l2Tables.cache.view.getUint32(position + 4)
  if (high !== 0 || low !== 0) return
  const place = geometry.externalData ? hostOffset(at) : (await new FreshSpace(parts, mode).take(1)).place
  await link(parts, { at, place, clusterCount: 1, zero: false, bits: undefined })
}

/**
 * As `preallocate`, for data in a file of its own, which has been made long enough and reads as zeroes there: every
 * cluster is mapped to its own place.
 */
export async function mapDataFile(parts: PreallocateParts, range: PreallocateRange): Promise<void> {
  const { start, end, signal } = range
  const clusterCount = Math.ceil((end - start) / parts.geometry.clusterSize)
  const { zero } = range
  // Whatever the file is asked for, its place is known beforehand: as in the reference, a flag hides the backing file.
  const bits = { zeroBits: zero ? allSubclusters : 0, allocBits: 0 }
  if (clusterCount > 0) await link(parts, { at: start, place: hostOffset(start), clusterCount, zero, bits, signal })
}

/** What the file is asked for: with metadata alone its clusters need not take space. */
export function hostMode(preallocation: Preallocation): Preallocation {
  return preallocation === 'metadata' ? 'off' : preallocation
}

/**
 * What subclusters are: zeroes where they hide a backing file, by flag or, since the space was made now, by what they
 * hold; else unallocated, which reads as zeroes as well, with a place of their own.
 */
function newBits({ zero, preallocation }: PreallocateRange): NewBits {
  if (!zero) return { zeroBits: 0, allocBits: 0 }
  if (preallocation === 'metadata') return { zeroBits: allSubclusters, allocBits: 0 }
  return { zeroBits: 0, allocBits: allSubclusters }
}

interface NewRun {
  readonly at: number
  readonly place: HostOffset
  readonly clusterCount: number
  readonly zero: boolean
  /** `undefined`: subclusters stay what they are. */
  readonly bits: NewBits | undefined
  readonly signal?: AbortSignal | undefined
}

async function link({ l2Tables, linker, allocator, geometry }: PreallocateParts, run: NewRun): Promise<void> {
  const { cache } = l2Tables
  const { clusterSize } = geometry
  for (let done = 0; done < run.clusterCount; ) {
    const at = guestOffset(run.at + done * clusterSize)
    const count = Math.min(l2Tables.entriesToSliceEnd(at), run.clusterCount - done)
    try {
      run.signal?.throwIfAborted()
      await linker.order()
      const slot = await l2Tables.loadForUpdate(at)
      fill(cache, l2Tables.entryPosition(slot, at), { ...run, first: done, count, geometry })
      cache.markDirty(slot)
    } catch (error) {
      // Clusters of a data file are not counted: there is nothing to be given back.
      if (geometry.externalData) throw error
      const rest = hostOffset(run.place + done * clusterSize)
      await allocator.free(rest, (run.clusterCount - done) * clusterSize, { discard: 'other', unlinked: 'on-disk' })
      throw error
    }
    done += count
  }
}

function fill(
  cache: TableCache,
  position: number,
  run: NewRun & { readonly first: number; readonly count: number; readonly geometry: Geometry },
): void {
  const { extendedL2, clusterSize, l2EntrySize } = run.geometry
  for (let index = 0; index < run.count; index++) {
    const host = hostOffset(run.place + (run.first + index) * clusterSize)
    const at = position + index * l2EntrySize
    cache.view.setUint32(at, entryHigh(host, true))
    cache.view.setUint32(at + 4, entryLow(host, run.zero && !extendedL2))
    if (extendedL2 && run.bits !== undefined) storeSubclusters(cache.view, at, run.bits.zeroBits, run.bits.allocBits)
  }
}
