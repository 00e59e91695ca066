/**
 * One reference more, or one less, for everything that an L1 table leads to, and the COPIED flags that follow.
 *
 * Making, applying and deleting a snapshot are this walk at different times. It goes entry by entry in a fixed order, and
 * flags change together with the counts they stand for, so that a walk which failed can be taken back exactly.
 *
 * @see QEMU 7.2 block/qcow2-snapshot.c, block/qcow2-refcount.c: qcow2_update_snapshot_refcount
 */

import { hexPrefixed, viewOf } from '../../format/bytes.ts'
import { entryBytes } from '../../format/constants.ts'
import { clusterIndex, type Geometry, type HostOffset, isClusterAligned } from '../../format/geometry.ts'
import {
  clusterType,
  compressedBytes,
  compressedOffset,
  entryOffset,
  isCopied,
  withCopied,
} from '../../format/l2-entry.ts'
import type { Corruption } from '../../metadata/corruption.ts'
import type { TableCache } from '../../metadata/table-cache.ts'
import type { Allocator } from '../../refcount/allocator.ts'
import type { Refcounts } from '../../refcount/refcounts.ts'

/** What the walk goes through. */
export interface RefcountWalkParts {
  readonly geometry: Geometry
  readonly caches: { readonly l2Tables: TableCache }
  readonly refcounts: Refcounts
  readonly allocator: Allocator
  readonly corruption: Corruption
}

/** A stretch of a slice whose entries' host clusters follow each other. */
interface HostRun {
  /** Number of the first entry in its slice. */
  readonly entry: number
  readonly entryCount: number
  /** Number of the first host cluster. */
  readonly first: number
  readonly clusterCount: number
  readonly compressed: boolean
}

/** One walk. */
export class RefcountWalk {
  readonly #parts: RefcountWalkParts
  readonly #table: DataView
  readonly #delta: -1 | 0 | 1
  /** Changes of counts made so far. */
  #steps = 0
  #stepsMax = Number.POSITIVE_INFINITY

  /**
   * @param l1 - the L1 table; its COPIED flags are set right in place, on disk they are the caller's business
   * @param delta - what every reference is changed by; 0 only sets the flags right
   */
  constructor(parts: RefcountWalkParts, l1: Uint8Array, delta: -1 | 0 | 1) {
    this.#parts = parts
    this.#table = viewOf(l1)
    this.#delta = delta
  }

  /**
   * Does the walk. Tables stay in the cache, changed; nothing is flushed.
   *
   * @throws BlockError `EINVAL` where a count would leave its limits, or of the file; what was done stays done
   */
  async run(): Promise<void> {
    for (let index = 0; index * entryBytes < this.#table.byteLength; index++) {
      if (this.#isDone) return
      await this.#tableOf(index)
    }
  }

  /** Takes back what `run` did before it failed. */
  async undo(l1: Uint8Array): Promise<void> {
    if (this.#delta !== 1 || this.#steps === 0) return
    const back = new RefcountWalk(this.#parts, l1, -1)
    back.#stepsMax = this.#steps
    await back.run()
  }

  get #isDone(): boolean {
    return this.#steps >= this.#stepsMax
  }

  async #tableOf(index: number): Promise<void> {
    const { geometry, corruption, refcounts, allocator } = this.#parts
    const at = index * entryBytes
    const table = entryOffset(this.#table.getUint32(at), this.#table.getUint32(at + 4))
    if (table === 0) return
    if (!isClusterAligned(geometry, table)) {
      const place = `L2 table offset ${hexPrefixed(table)} unaligned (L1 index: ${hexPrefixed(index)})`
      throw await corruption.signal('fatal', place)
    }
    // A table that goes with this walk is not worth marking. (One that a failed walk did not come to count stays.)
    const isUndo = Number.isFinite(this.#stepsMax)
    const goes = this.#delta === -1 && !isUndo && (await refcounts.get(clusterIndex(geometry, table))) === 1
    await this.#entries(table, goes)
    if (this.#isDone) return
    if (goes) {
      this.#steps++
      await allocator.freeTable(table, { discard: 'snapshot', unlinked: 'on-disk' })
      return
    }
    await this.#change(clusterIndex(geometry, table), 1)
    const copied = (await refcounts.get(clusterIndex(geometry, table))) === 1
    this.#table.setUint32(at, withCopied(this.#table.getUint32(at), copied))
  }

  async #entries(table: HostOffset, goes: boolean): Promise<void> {
    const { geometry } = this.#parts
    const cache = this.#parts.caches.l2Tables
    const sliceEntries = cache.entrySize / geometry.l2EntrySize
    for (let at = 0; at < geometry.clusterSize; at += cache.entrySize) {
      for (let entry = 0; entry < sliceEntries; ) {
        // Loaded for each run again: counting may have put other tables in the slot's place.
        const start = cache.start(await cache.load(table + at))
        const run = nextRun(geometry, cache.view, { start, entry, end: sliceEntries })
        if (run === undefined) break
        if (!Number.isInteger(run.first)) throw await this.#unaligned(run, table + at)
        await this.#change(run.first, run.clusterCount)
        if (!goes && !run.compressed) await this.#flags(table + at, run)
        if (this.#isDone) return
        entry = run.entry + run.entryCount
      }
    }
  }

  #unaligned({ first, entry }: HostRun, slice: number): Promise<Error> {
    const offset = hexPrefixed(first * this.#parts.geometry.clusterSize)
    const place = `(L2 offset: ${hexPrefixed(slice)}, L2 index: ${hexPrefixed(entry)})`
    return this.#parts.corruption.signal('fatal', `Cluster allocation offset ${offset} unaligned ${place}`)
  }

  async #change(first: number, clusterCount: number): Promise<void> {
    if (this.#delta === 0) return
    const { refcounts } = this.#parts
    // Freed clusters wait in the queue: a read that was told their place must not find something else there.
    const change = { first, clusterCount, delta: this.#delta, discard: 'snapshot', unlinked: 'in-cache' } as const
    // A refcount block that was missing is made on the way; the reference gives up with EAGAIN.
    while ((await refcounts.update(change)) === 'again');
    this.#steps++
  }

  /** COPIED stands where the count is exactly one. */
  async #flags(slice: number, run: HostRun): Promise<void> {
    const { geometry, refcounts } = this.#parts
    const cache = this.#parts.caches.l2Tables
    for (let step = 0; step < run.entryCount; step++) {
      // One reference more makes two at least.
      const copied = this.#delta !== 1 && (await refcounts.get(run.first + step)) === 1
      const slot = await cache.load(slice)
      const at = cache.start(slot) + (run.entry + step) * geometry.l2EntrySize
      const high = cache.view.getUint32(at)
      if (isCopied(high) === copied) continue
      cache.view.setUint32(at, withCopied(high, copied))
      cache.markDirty(slot)
    }
  }
}

/** The first run at or behind entry number `entry` of a slice; `undefined` where nothing more is mapped. */
function nextRun(
  geometry: Geometry,
  view: DataView,
  slice: { readonly start: number; readonly entry: number; readonly end: number },
): HostRun | undefined {
  const { clusterSize, l2EntrySize } = geometry
  let first = -1
  let from = slice.entry
  for (let entry = slice.entry; entry < slice.end; entry++) {
    const high = view.getUint32(slice.start + entry * l2EntrySize)
    const low = view.getUint32(slice.start + entry * l2EntrySize + 4)
    const type = clusterType(high, low, geometry)
    const cluster = type === 'normal' || type === 'zero-alloc' ? entryOffset(high, low) / clusterSize : -1
    if (first >= 0) {
      if (cluster !== first + entry - from) return plainRun(from, entry - from, first)
    } else if (type === 'compressed') {
      return compressedRun(geometry, entry, high, low)
    } else if (cluster >= 0) {
      first = cluster
      from = entry
    }
  }
  return first < 0 ? undefined : plainRun(from, slice.end - from, first)
}

function plainRun(entry: number, entryCount: number, first: number): HostRun {
  return { entry, entryCount, first, clusterCount: entryCount, compressed: false }
}

function compressedRun(geometry: Geometry, entry: number, high: number, low: number): HostRun {
  const offset = compressedOffset(geometry, high, low)
  const first = Math.floor(offset / geometry.clusterSize)
  const last = Math.floor((offset + compressedBytes(geometry, high, low) - 1) / geometry.clusterSize)
  return { entry, entryCount: 1, first, clusterCount: last - first + 1, compressed: true }
}
