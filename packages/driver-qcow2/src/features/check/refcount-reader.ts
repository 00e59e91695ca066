/** Counts as the refcount blocks have them, cluster after cluster, without a promise for each. */

import { type Geometry, refblockIndex, refcountTableIndex } from '../../format/geometry.ts'
import { getRefcount } from '../../format/refcount-bits.ts'
import type { Refblocks } from '../../refcount/refblock.ts'

/** Remembers the block that was looked at last. */
export class RefcountReader {
  readonly #refblocks: Refblocks
  readonly #geometry: Geometry
  #index = -1
  #block: Uint8Array | undefined

  constructor(refblocks: Refblocks) {
    this.#refblocks = refblocks
    this.#geometry = refblocks.geometry
  }

  /** Makes `get` ready for `cluster`; nothing to wait for where its block is at hand. */
  prepare(cluster: number): Promise<void> | undefined {
    return refcountTableIndex(this.#geometry, cluster) === this.#index ? undefined : this.#load(cluster)
  }

  /** The block that `prepare` was awaited for last; `undefined` where there is none, and all its counts are zero. */
  get block(): Uint8Array | undefined {
    return this.#block
  }

  /** References of `cluster`, for which `prepare` has been awaited. */
  get(cluster: number): number {
    if (this.#block === undefined) return 0
    return getRefcount(this.#block, this.#geometry.refcountOrder, refblockIndex(this.#geometry, cluster))
  }

  /** Looks again: the cache may hold other blocks now. */
  forget(): void {
    this.#index = -1
  }

  async #load(cluster: number): Promise<void> {
    this.#index = -1
    this.#block = await this.#refblocks.load(cluster)
    this.#index = refcountTableIndex(this.#geometry, cluster)
  }
}
