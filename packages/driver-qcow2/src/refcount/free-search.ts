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
    const start = this.#cursor
    let cluster = start
    let run = 0
    while (run < clusterCount) {
      const from = refblockIndex(geometry, cluster)
      const wanted = { first: cluster, from, count: geometry.refblockEntries - from, run, clusterCount }
      const block = await this.#refblocks.load(cluster)
      const looked = block === undefined ? takeUncounted(wanted) : this.#scan(block, wanted)
      cluster += looked.clusters
      run = looked.run
      if (cluster - 1 > lastCluster) throw BlockError.fromErrno('EFBIG')
    }
    // Reading a block may flush the L2 tables, and that may free clusters before the start: they are next then.
    if (this.#cursor === start) this.#cursor = cluster
    return cluster - clusterCount
  }

  /** Looks through one refcount block, until it ends or the run is long enough. */
  #scan(block: Uint8Array, { first, from, count, run: before, clusterCount }: Wanted): Looked {
    const { refcountOrder } = this.#refblocks.geometry
    const held = this.#freed.isEmpty ? undefined : this.#freed
    let run = before
    let step = 0
    for (; step < count && run < clusterCount; step++) {
      const free = getRefcount(block, refcountOrder, from + step) === 0 && held?.holds(first + step) !== true
      run = free ? run + 1 : 0
    }
    return { clusters: step, run }
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

/** What is looked for in one refcount block. */
interface Wanted {
  /** Number of the first cluster to look at, and its count's number in the block. */
  readonly first: number
  readonly from: number
  /** Clusters from there to the end of the block. */
  readonly count: number
  /** Free clusters in a row right before `first`. */
  readonly run: number
  /** Free clusters in a row that are wanted. */
  readonly clusterCount: number
}

/** How far a look into one block has come. */
interface Looked {
  readonly clusters: number
  /** Free clusters in a row at the end. */
  readonly run: number
}

/** A range that no block counts: all of it is free. */
function takeUncounted({ count, run, clusterCount }: Wanted): Looked {
  const clusters = Math.min(count, clusterCount - run)
  return { clusters, run: run + clusters }
}
