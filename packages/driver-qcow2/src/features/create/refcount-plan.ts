/** Who owns which cluster of an image that does not exist yet: the allocator's decisions without its I/O. */

import { assert } from '@blocklayer/block-core/driver'
import { roundUp } from '../../format/bytes.ts'
import type { Geometry } from '../../format/geometry.ts'
import { setRefcount } from '../../format/refcount-bits.ts'
import { refcountMetadataFor } from '../../refcount/area-plan.ts'

/**
 * Refcounts, refcount blocks and refcount table of a new image, and the search for free clusters in it.
 *
 * Files come out as the reference makes them only if clusters are found in its order. So this follows the runtime
 * allocator step by step: a missing refcount block is made first, and then the search begins again.
 *
 * @see spec/qcow2.md, 3.5
 */
export class RefcountPlan {
  readonly #geometry: Geometry
  /** 1 where the cluster is used; every count of a new image is 0 or 1. */
  #used: Uint8Array = new Uint8Array(1024)
  /** Cluster number of each refcount block; 0 where there is none. */
  #blocks: Float64Array
  #tableCluster = 1
  #cursor = 0

  /** Begins with header, a refcount table of one cluster and one refcount block, in clusters 0 to 2. */
  constructor(geometry: Geometry) {
    this.#geometry = geometry
    this.#blocks = new Float64Array(geometry.entriesPerCluster)
    this.#blocks[0] = 2
    this.allocate(3)
  }

  /** First cluster of the refcount table. */
  get tableCluster(): number {
    return this.#tableCluster
  }

  /** Clusters of the refcount table. */
  get tableClusters(): number {
    return this.#blocks.length / this.#geometry.entriesPerCluster
  }

  /** Cluster number of each refcount block, 0 where there is none: the refcount table in clusters. */
  get blocks(): Float64Array {
    return this.#blocks
  }

  /** One more than the number of the last cluster in use. */
  get end(): number {
    return this.#used.lastIndexOf(1) + 1
  }

  /** Takes the first `count` free clusters in a row behind the cursor, and gives the number of the first. */
  allocate(count: number): number {
    for (;;) {
      const start = this.#findFree(count)
      if (this.#take(start, count)) return start
    }
  }

  /** Takes the clusters from `start` on, which are free. */
  allocateAt(start: number, count: number): void {
    while (!this.#take(start, count));
  }

  /**
   * Moves the refcount table behind new refcount blocks that begin at cluster `start`, big enough to count `extra`
   * clusters more.
   *
   * @param exact - leave no room for later growth
   * @param hook - a refcount block that waits for its place in the table
   * @returns number of the first cluster behind the new structures
   */
  growArea(start: number, extra: number, exact: boolean, hook?: { index: number; cluster: number }): number {
    const { refblockEntries, entriesPerCluster } = this.#geometry
    const { blocks: blockCount } = refcountMetadataFor(this.#geometry, start + extra, !exact)
    const entries = roundUp(exact ? blockCount : blockCount + Math.ceil(blockCount / 2), entriesPerCluster)
    const table = new Float64Array(Math.max(entries, roundUp(this.#lastBlock() + 1, entriesPerCluster)))
    table.set(this.#blocks.subarray(0, Math.min(this.#blocks.length, table.length)))
    if (hook !== undefined) table[hook.index] = hook.cluster
    let end = start
    for (let index = Math.floor(start / refblockEntries); index < blockCount; index++) {
      if (table[index] === 0) table[index] = end++
    }
    const old = { cluster: this.#tableCluster, count: this.tableClusters }
    this.#tableCluster = end
    end += table.length / entriesPerCluster
    this.#blocks = table
    this.#mark(start, end - start, 1)
    this.#mark(old.cluster, old.count, 0)
    this.#cursor = Math.min(this.#cursor, old.cluster)
    return end
  }

  /** Writes the counts of refcount block number `index` into `block`, which is zeroed. */
  encodeBlock(index: number, block: Uint8Array): void {
    const { refblockEntries, refcountOrder } = this.#geometry
    const first = index * refblockEntries
    const end = Math.min(first + refblockEntries, this.#used.length)
    for (let cluster = first; cluster < end; cluster++) {
      if (this.#used[cluster] === 1) setRefcount(block, refcountOrder, cluster - first, 1)
    }
  }

  #lastBlock(): number {
    return this.#blocks.findLastIndex((cluster) => cluster !== 0)
  }

  #findFree(count: number): number {
    for (let run = 0; run < count; ) run = this.#isUsed(this.#cursor++) ? 0 : run + 1
    return this.#cursor - count
  }

  #isUsed(cluster: number): boolean {
    return cluster < this.#used.length && this.#used[cluster] === 1
  }

  /** False where a refcount block had to be made first: it may stand where the clusters were found. */
  #take(start: number, count: number): boolean {
    const { refblockEntries } = this.#geometry
    for (let index = Math.floor(start / refblockEntries); index * refblockEntries < start + count; index++) {
      if ((this.#blocks[index] ?? 0) !== 0) continue
      const missing = Math.max(start, index * refblockEntries)
      // What has been counted so far is taken while the block looks for its place, and given back afterwards.
      this.#mark(start, missing - start, 1)
      this.#makeBlock(index, missing)
      this.#mark(start, missing - start, 0)
      this.#cursor = Math.min(this.#cursor, start)
      return false
    }
    this.#mark(start, count, 1)
    return true
  }

  /** Makes refcount block number `index`, which must count `cluster`. */
  #makeBlock(index: number, cluster: number): void {
    const { refblockEntries } = this.#geometry
    const place = this.#findFree(1)
    // A block in the range that it counts describes itself; another one must be counted first.
    if (Math.floor(place / refblockEntries) === index) this.#mark(place, 1, 1)
    else if (!this.#take(place, 1)) return
    if (index < this.#blocks.length) {
      this.#blocks[index] = place
      return
    }
    const start = roundUp(Math.max(cluster, place) + 1, refblockEntries)
    this.growArea(start, 0, false, { index, cluster: place })
  }

  #mark(start: number, count: number, value: 0 | 1): void {
    if (value === 1 && start + count > this.#used.length) {
      const used = new Uint8Array(roundUp(start + count, this.#used.length))
      used.set(this.#used)
      this.#used = used
    }
    this.#used.fill(value, start, start + count)
    assert(start >= 0 && count >= 0, 'clusters are marked in a range')
  }
}
