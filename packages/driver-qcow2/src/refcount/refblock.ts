/** Refcount blocks: finding the one that counts a cluster, and reading a count from it. */

import { assert } from '@blocklayer/block-core/driver'
import { hexPrefixed } from '../format/bytes.ts'
import {
  type Geometry,
  type HostOffset,
  isClusterAligned,
  refblockIndex,
  refcountTableIndex,
} from '../format/geometry.ts'
import { getRefcount } from '../format/refcount-bits.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { RefcountTable } from './refcount-table.ts'

/** What refcount blocks are read through. */
export interface RefblocksOptions {
  readonly cache: TableCache
  readonly table: RefcountTable
  readonly geometry: Geometry
  readonly corruption: Corruption
}

/** The refcount blocks of an image, through their cache. */
export class Refblocks {
  readonly cache: TableCache
  readonly table: RefcountTable
  readonly geometry: Geometry
  readonly #corruption: Corruption

  constructor(options: RefblocksOptions) {
    this.cache = options.cache
    this.table = options.table
    this.geometry = options.geometry
    this.#corruption = options.corruption
    assert(this.cache.entrySize === this.geometry.clusterSize, 'a refcount block is one cluster')
  }

  /**
   * Offset of the block that counts cluster number `cluster`; 0 where no block does, so that its count is zero.
   *
   * @throws BlockError `EIO` after `Refblock offset … unaligned` has been reported
   */
  offsetFor(cluster: number): HostOffset | Promise<never> {
    const index = refcountTableIndex(this.geometry, cluster)
    const offset = this.table.offsetOf(index)
    return isClusterAligned(this.geometry, offset) ? offset : this.#refuse(offset, index)
  }

  async #refuse(offset: HostOffset, index: number): Promise<never> {
    const place = `Refblock offset ${hexPrefixed(offset)} unaligned (reftable index: ${hexPrefixed(index)})`
    throw await this.#corruption.signal('fatal', place)
  }

  /**
   * Bytes of the block that counts cluster number `cluster`, or `undefined` where no block does.
   *
   * The bytes are the cache's own: they stay valid until other blocks are loaded, and are not to be changed.
   */
  async load(cluster: number): Promise<Uint8Array | undefined> {
    const offset = await this.offsetFor(cluster)
    if (offset === 0) return undefined
    const found = this.cache.peek(offset)
    return this.slotBytes(found >= 0 ? found : await this.cache.load(offset))
  }

  /** Bytes of a slot of the cache. */
  slotBytes(slot: number): Uint8Array {
    const start = this.cache.start(slot)
    return this.cache.bytes.subarray(start, start + this.geometry.clusterSize)
  }

  /**
   * How many references cluster number `cluster` has.
   *
   * @throws BlockError where its block cannot be read
   */
  async refcount(cluster: number): Promise<number> {
    const block = await this.load(cluster)
    if (block === undefined) return 0
    return getRefcount(block, this.geometry.refcountOrder, refblockIndex(this.geometry, cluster))
  }

  /**
   * How many of the first `clusterCount` clusters are in use; counting stops at `enough`.
   *
   * @throws BlockError where a block cannot be read
   */
  async countUsed(clusterCount: number, enough: number): Promise<number> {
    const { refblockEntries, refcountOrder } = this.geometry
    let used = 0
    for (let first = 0; first < clusterCount && used < enough; first += refblockEntries) {
      const block = await this.load(first)
      if (block === undefined) continue
      const count = Math.min(refblockEntries, clusterCount - first)
      for (let index = 0; index < count; index++) if (getRefcount(block, refcountOrder, index) > 0) used++
    }
    return Math.min(used, enough)
  }
}
