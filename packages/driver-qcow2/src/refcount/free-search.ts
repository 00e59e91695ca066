/** Where the next free clusters are: a cursor over the refcounts that only frees move back. */

import { BlockError } from '@blocklayer/block-core/driver'
import { refblockIndex } from '../format/geometry.ts'
import { getRefcount } from '../format/refcount-bits.ts'
import type { DiscardQueue } from './discard-queue.ts'
import type { Refblocks } from './refblock.ts'

/**
 * Finds clusters whose refcount is zero. It reserves nothing: the caller counts them before anything else happens.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: alloc_clusters_noref
 */
export class FreeSearch {
  readonly #refblocks: Refblocks
  readonly #freed: DiscardQueue
  /** Every cluster below is in use, or was when it was last looked at. */
  #cursor = 0

  constructor(refblocks: Refblocks, freed: DiscardQueue) {
    this.#refblocks = refblocks
    this.#freed = freed
    freed.onRelease((first) => this.lower(first))
  }

  /** Number of the cluster at which the next search begins. */
  get cursor(): number {
    return this.#cursor
  }

  /** Cluster number `cluster` has become free. */
  lower(cluster: number): void {
    if (cluster < this.#cursor) this.#cursor = cluster
  }

  /**
   * Number of the first of `clusterCount` free clusters in a row. The cursor moves behind them.
   *
   * @param offsetMax - last host offset that will do
   * @throws BlockError `EFBIG` where they would end behind `offsetMax`
   */
  async find(clusterCount: number, offsetMax: number): Promise<number> {
    const { geometry } = this.#refblocks
    const lastCluster = Math.floor(offsetMax / geometry.clusterSize)
    let run = 0
    while (run < clusterCount) {
      const from = refblockIndex(geometry, this.#cursor)
      const rest = geometry.refblockEntries - from
      const block = await this.#refblocks.load(this.#cursor)
      if (block === undefined) {
        // No block counts this range, so that all of it is free.
        const taken = Math.min(rest, clusterCount - run)
        run += taken
        this.#cursor += taken
      } else {
        run = this.#scan(block, { from, rest, run, clusterCount })
      }
      if (this.#cursor - 1 > lastCluster) throw BlockError.fromErrno('EFBIG')
    }
    return this.#cursor - clusterCount
  }

  /** Looks through one refcount block from the cursor on; gives the length of the run of free clusters so far. */
  #scan(block: Uint8Array, at: { from: number; rest: number; run: number; clusterCount: number }): number {
    const { refcountOrder } = this.#refblocks.geometry
    const held = this.#freed.isEmpty ? undefined : this.#freed
    let run = at.run
    for (let step = 0; step < at.rest && run < at.clusterCount; step++) {
      const free = getRefcount(block, refcountOrder, at.from + step) === 0 && held?.holds(this.#cursor) !== true
      run = free ? run + 1 : 0
      this.#cursor++
    }
    return run
  }

  /** How many of the `clusterCount` clusters from number `first` on are free, up to the first that is not. */
  async countFreeAt(first: number, clusterCount: number): Promise<number> {
    const { geometry } = this.#refblocks
    for (let count = 0; count < clusterCount; ) {
      const from = refblockIndex(geometry, first + count)
      const end = Math.min(geometry.refblockEntries, from + clusterCount - count)
      const block = await this.#refblocks.load(first + count)
      if (block === undefined) {
        count += end - from
        continue
      }
      for (let index = from; index < end; index++, count++) {
        if (getRefcount(block, geometry.refcountOrder, index) !== 0 || this.#freed.holds(first + count)) return count
      }
    }
    return clusterCount
  }

  /** Starts again at the beginning of the file (an emptied image). */
  reset(): void {
    this.#cursor = 0
  }
}
