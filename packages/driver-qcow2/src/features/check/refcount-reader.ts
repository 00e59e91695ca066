/** Counts as the refcount blocks have them, cluster after cluster, without a promise for each. */

import { type Geometry, refblockIndex } from '../../format/geometry.ts'
import { getRefcount } from '../../format/refcount-bits.ts'
import type { Refblocks } from '../../refcount/refblock.ts'

/** Remembers the block that was looked at last. */
export class RefcountReader {
  readonly #refblocks: Refblocks
  readonly #geometry: Geometry
  /** First cluster that the block counts; past the last one where there is no block to be relied on. */
  #first = Number.POSITIVE_INFINITY
  #block: Uint8Array | undefined

  constructor(refblocks: Refblocks) {
    this.#refblocks = refblocks
    this.#geometry = refblocks.geometry
  }

  /** Makes `get` ready for `cluster`; nothing to wait for where its block is at hand. */
  prepare(cluster: number): Promise<void> | undefined {
    const index = cluster - this.#first
    return index >= 0 && index < this.#geometry.refblockEntries ? undefined : this.#load(cluster)
  }

  /** The block that `prepare` was awaited for last; `undefined` where there is none, and all its counts are zero. */
  get block(): Uint8Array | undefined {
    return this.#block
  }

  /** References of `cluster`, for which `prepare` has been awaited. */
  get(cluster: number): number {
    if (this.#block === undefined) return 0
    return getRefcount(this.#block, this.#geometry.refcountOrder, cluster - this.#first)
  }

  /** Looks again: the cache may hold other blocks now. */
  forget(): void {
    this.#first = Number.POSITIVE_INFINITY
  }

  async #load(cluster: number): Promise<void> {
    this.forget()
    this.#block = await this.#refblocks.load(cluster)
    this.#first = cluster - refblockIndex(this.#geometry, cluster)
  }
}
