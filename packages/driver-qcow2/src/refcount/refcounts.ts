/** Changing the reference counts of ranges of clusters, all of a range or nothing of it. */

import { assert, BlockError, toBlockError } from '@blocklayer/block-core/driver'
import { refblockIndex } from '../format/geometry.ts'
import { getRefcount, setRefcount } from '../format/refcount-bits.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { DiscardClass, DiscardQueue } from './discard-queue.ts'
import type { FreeSearch } from './free-search.ts'
import type { ClusterCounter, RefcountGrowth } from './grow.ts'
import type { Refblocks } from './refblock.ts'

/**
 * How the last reference to a freed cluster has gone: it is not on disk (never written, or durably removed), or it has
 * only been removed from an L2 table in the cache.
 */
export type Unlinked = 'on-disk' | 'in-cache'

/** What is counted. */
export interface RefcountChange {
  /** Cluster number. */
  readonly first: number
  readonly clusterCount: number
  /** References to add to each cluster; negative to take away. */
  readonly delta: number
  /** What becomes of clusters whose count drops to zero. */
  readonly discard: DiscardClass
  readonly unlinked: Unlinked
}

/** What refcounts are made of. */
export interface RefcountsOptions {
  readonly refblocks: Refblocks
  readonly growth: RefcountGrowth
  readonly search: FreeSearch
  readonly freed: DiscardQueue
  readonly l2Cache: TableCache
}

/**
 * The reference counts of an image.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: update_refcount
 */
export class Refcounts implements ClusterCounter {
  readonly #parts: RefcountsOptions
  #freeListener: ((first: number, clusterCount: number) => void) | undefined

  constructor(options: RefcountsOptions) {
    this.#parts = options
  }

  /** Names who is told of clusters whose count has dropped to zero. */
  onFree(listener: (first: number, clusterCount: number) => void): void {
    this.#freeListener = listener
  }

  /** References of cluster number `cluster`. */
  get(cluster: number): Promise<number> {
    return this.#parts.refblocks.refcount(cluster)
  }

  /** As `update` with one reference more each. */
  increment(first: number, clusterCount: number): Promise<'done' | 'again'> {
    return this.update({ first, clusterCount, delta: 1, discard: 'never', unlinked: 'on-disk' })
  }

  /** As `update` with one reference less each, for clusters that no table on disk refers to. */
  async decrement(first: number, clusterCount: number): Promise<void> {
    await this.update({ first, clusterCount, delta: -1, discard: 'other', unlinked: 'on-disk' })
  }

  /**
   * Changes the counts of a range. After an error, and for `'again'`, they are as before; only where a full list of
   * freed clusters could not be emptied the range is counted all the same, and its clusters are held back.
   *
   * @returns `'again'` where a new refcount block was added, perhaps in the middle of the range: search again
   * @throws BlockError `EINVAL` where a count would leave its limits
   */
  async update(change: RefcountChange): Promise<'done' | 'again'> {
    const { first, clusterCount, delta, discard, unlinked } = change
    const { refblocks, l2Cache, search } = this.#parts
    assert(clusterCount >= 0 && Number.isSafeInteger(first), 'refcounts: a range of clusters')
    if (clusterCount === 0) return 'done'
    // Refcounts may go down on disk only after the last L2 entry is gone from the disk: else a power cut would leave
    // an entry that points to a cluster which counts as free.
    if (delta < 0 && unlinked === 'in-cache') await refblocks.cache.dependOn(l2Cache)
    const freedRuns: number[] = []
    let done = 0
    let added = false
    try {
      while (done < clusterCount) {
        const slot = await this.#slotFor(first + done, delta)
        added = slot === 'added'
        if (slot === 'added') break
        done += this.#updateBlock(slot, { first: first + done, clusterCount: clusterCount - done, delta, freedRuns })
      }
    } catch (error) {
      const failure = error instanceof PartialUpdate ? error : undefined
      await this.#undo(change, done + (failure?.done ?? 0))
      throw failure === undefined ? toBlockError(error) : BlockError.fromErrno('EINVAL')
    }
    if (added) {
      await this.#undo(change, done)
      search.lower(first)
      return 'again'
    }
    await this.#settle(freedRuns, discard, unlinked)
    return 'done'
  }

  async #slotFor(cluster: number, delta: number): Promise<number | 'added'> {
    const { refblocks, growth } = this.#parts
    // What no block counts has no reference to take away; a new block would not change that.
    if (delta < 0 && (await refblocks.offsetFor(cluster)) === 0) throw new PartialUpdate(0)
    return growth.ensure(cluster, this)
  }

  /** Changes as much of the range as one refcount block counts; gives the number of clusters. */
  #updateBlock(slot: number, at: { first: number; clusterCount: number; delta: number; freedRuns: number[] }): number {
    const { refblocks } = this.#parts
    const { geometry, cache } = refblocks
    const block = refblocks.slotBytes(slot)
    const from = refblockIndex(geometry, at.first)
    const count = Math.min(at.clusterCount, geometry.refblockEntries - from)
    cache.markDirty(slot)
    for (let step = 0; step < count; step++) {
      const value = getRefcount(block, geometry.refcountOrder, from + step) + at.delta
      if (value < 0 || value > geometry.refcountMax) throw new PartialUpdate(step)
      setRefcount(block, geometry.refcountOrder, from + step, value)
      if (value === 0) addToRuns(at.freedRuns, at.first + step)
    }
    return count
  }

  /** Takes back what was done of `change`: its first `done` clusters. */
  async #undo(change: RefcountChange, done: number): Promise<void> {
    if (done === 0) return
    const { refblocks, search } = this.#parts
    for (let undone = 0; undone < done; ) {
      const block = await refblocks.offsetFor(change.first + undone)
      const slot = await refblocks.cache.load(block)
      const at = { first: change.first + undone, clusterCount: done - undone, delta: -change.delta, freedRuns: [] }
      undone += this.#updateBlock(slot, at)
    }
    search.lower(change.first)
  }

  async #settle(runs: readonly number[], discard: DiscardClass, unlinked: Unlinked): Promise<void> {
    const { freed, search, l2Cache } = this.#parts
    for (let at = 0; at < runs.length; at += 2) {
      const first = runs[at]!
      const clusterCount = runs[at + 1]!
      this.#freeListener?.(first, clusterCount)
      if (unlinked === 'on-disk') {
        search.lower(first)
        await freed.punch(first, clusterCount, discard)
      } else {
        freed.add(first, clusterCount, discard)
      }
    }
    // The list is bounded: making the L2 tables durable empties it. Not before all is in it: a flush may fail.
    if (freed.isFull && unlinked === 'in-cache') await l2Cache.flush()
  }
}

/** A count left its limits after `done` clusters of the block were changed. */
class PartialUpdate extends Error {
  readonly done: number
  constructor(done: number) {
    super('refcount out of range')
    this.done = done
  }
}

/** Appends `cluster` to a list of runs (first, length, first, length, …). */
function addToRuns(runs: number[], cluster: number): void {
  const last = runs.length - 2
  if (last >= 0 && runs[last]! + runs[last + 1]! === cluster) runs[last + 1]!++
  else runs.push(cluster, 1)
}
