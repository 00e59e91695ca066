/**
 * Room for more refcounts: a new refcount block, and a larger refcount table when the table is full.
 *
 * The difficulty is that the structure counts itself. A new block is a cluster, so it needs a count, and the block that
 * holds this count may be the very block that is missing. Two cases:
 *
 * - The new block lies in the range that it describes. Then it counts itself: its own entry is set to one before it is
 *   written for the first time.
 * - It lies elsewhere. Then it is counted like any other cluster first; should that need a further new block, the
 *   further block lies in its own range at the latest, which ends the recursion after two rounds.
 *
 * A larger table, and the blocks for the clusters that the table itself takes, go into a fresh area: it begins at the
 * first cluster of a range that no block describes yet. Its first blocks describe the area, themselves included, so
 * that nothing outside of it has to change until the header is switched over to the new table.
 *
 * At every instant the disk holds either the old structure or the new one. What has been written and is not yet hooked
 * up is counted by nobody: a leak at most, and mostly not even that.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: alloc_refcount_block, qcow2_refcount_area
 */

import { type Child, toBlockError } from '@blocklayer/block-core/driver'
import { entryBytes, limits } from '../format/constants.ts'
import { clusterOffset, type HostOffset, refblockIndex, refcountTableIndex } from '../format/geometry.ts'
import { setRefcount } from '../format/refcount-bits.ts'
import { viewOf, writeU64 } from '../format/bytes.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { OverlapCheck } from '../metadata/overlap-check.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import { type AreaPlan, planRefcountArea } from './area-plan.ts'
import type { FreeSearch } from './free-search.ts'
import type { Refblocks } from './refblock.ts'

/** Counts clusters; what growth needs from the room that uses it. */
export interface ClusterCounter {
  /** Adds one reference; `'again'` where a block was added on the way, so that all searches are out of date. */
  increment(first: number, clusterCount: number): Promise<'done' | 'again'>
  /** Takes one reference away from clusters that nothing on disk refers to any more. */
  decrement(first: number, clusterCount: number): Promise<void>
}

/** What growth is made of. */
export interface RefcountGrowthOptions {
  readonly file: Child
  readonly header: HeaderStore
  readonly refblocks: Refblocks
  readonly search: FreeSearch
  readonly l2Cache: TableCache
  readonly corruption: Corruption
  readonly overlap: OverlapCheck
}

/** Adds refcount blocks where none is. */
export class RefcountGrowth {
  readonly #parts: RefcountGrowthOptions

  constructor(options: RefcountGrowthOptions) {
    this.#parts = options
  }

  /**
   * Slot of the block that counts cluster number `cluster`, or `'added'` after a new one has been hooked up: the new
   * block may lie where the caller wanted to allocate, so that the caller starts over.
   */
  async ensure(cluster: number, counter: ClusterCounter): Promise<number | 'added'> {
    const { file, refblocks } = this.#parts
    await file.debugEvent('refblock_alloc')
    const offset = await refblocks.offsetFor(cluster)
    if (offset !== 0) {
      await file.debugEvent('refblock_load')
      return refblocks.cache.load(offset)
    }
    await this.#addBlock(cluster, counter)
    return 'added'
  }

  async #addBlock(cluster: number, counter: ClusterCounter): Promise<void> {
    const { l2Cache, search, corruption, refblocks, file } = this.#parts
    const { geometry, cache, table } = refblocks
    // Refcount blocks that wait for L2 tables could not be written below while an L2 table waits for them.
    await l2Cache.flush()
    const block = await search.find(1, limits.hostOffset - 1)
    if (block === 0) {
      throw await corruption.signal('fatal', 'Preventing invalid allocation of refcount block at offset 0')
    }
    const index = refcountTableIndex(geometry, cluster)
    const countsItself = refcountTableIndex(geometry, block) === index
    if (!countsItself) {
      if ((await counter.increment(block, 1)) === 'again') return
      await cache.flush()
    }
    const offset = clusterOffset(geometry, block)
    try {
      const slot = await cache.loadEmpty(offset)
      const bytes = refblocks.slotBytes(slot).fill(0)
      if (countsItself) setRefcount(bytes, geometry.refcountOrder, refblockIndex(geometry, block), 1)
      await file.debugEvent('refblock_alloc_write')
      cache.markDirty(slot)
      await cache.flush()
      if (index < table.entryCount) {
        await file.debugEvent('refblock_alloc_hookup')
        await table.store(index, offset)
        return
      }
    } catch (error) {
      // The cluster is no refcount block: whatever the cache holds for it must never be written there.
      if (table.offsetOf(index) !== offset) cache.forget(offset)
      throw toBlockError(error)
    }
    await file.debugEvent('reftable_grow')
    await this.#growTable({ firstCluster: Math.max(cluster, block) + 1, index, offset }, counter)
  }

  /** Writes a larger table, with the block at `offset` as entry `index`, and switches to it. */
  async #growTable(
    from: { firstCluster: number; index: number; offset: HostOffset },
    counter: ClusterCounter,
  ): Promise<void> {
    const { header, refblocks, file } = this.#parts
    const { geometry, cache, table } = refblocks
    const plan = planRefcountArea(geometry, from.firstCluster, (index) => table.offsetOf(index) !== 0)
    const old = header.header
    const tableOffset = plan.tableFirst * geometry.clusterSize
    let bytes: Uint8Array | undefined
    try {
      bytes = await this.#writeArea(plan, from)
      await file.debugEvent('refblock_alloc_switch_table')
      await header.storeRefcountTable({ refcountTableOffset: tableOffset, refcountTableClusters: plan.tableClusters })
    } catch (error) {
      if (bytes === undefined || header.header.refcountTableOffset !== tableOffset) {
        // Blocks that did not make it into a table in force must never be written again.
        cache.forget(from.offset)
        for (const block of plan.blocks) if (block.isNew) cache.forget(block.cluster * geometry.clusterSize)
      } else {
        // Only the flush failed: the header names the new table, and the old one is not ours to give away yet.
        table.replace(bytes)
      }
      throw toBlockError(error)
    }
    table.replace(bytes)
    await file.debugEvent('cluster_free')
    await counter.decrement(old.refcountTableOffset / geometry.clusterSize, old.refcountTableClusters)
    // Announced as in the reference, which takes up the new block here; whoever starts over loads it again.
    await file.debugEvent('refblock_load')
  }

  /** Everything of the new area, written and durable; gives the new table. */
  async #writeArea(plan: AreaPlan, from: { index: number; offset: HostOffset }): Promise<Uint8Array> {
    const { refblocks, file, overlap } = this.#parts
    const { geometry, cache, table } = refblocks
    const bytes = new Uint8Array(plan.tableClusters * geometry.clusterSize)
    bytes.set(table.bytes)
    const view = viewOf(bytes)
    writeU64(view, from.index * entryBytes, from.offset)
    await file.debugEvent('refblock_alloc_write_blocks')
    for (const { index, cluster, isNew, countFirst, countEnd } of plan.blocks) {
      const offset = isNew ? clusterOffset(geometry, cluster) : table.offsetOf(index)
      const slot = isNew ? await cache.loadEmpty(offset) : await cache.load(offset)
      const block = refblocks.slotBytes(slot)
      if (isNew) block.fill(0)
      for (let counted = countFirst; counted < countEnd; counted++) {
        setRefcount(block, geometry.refcountOrder, refblockIndex(geometry, counted), 1)
      }
      cache.markDirty(slot)
      writeU64(view, index * entryBytes, offset)
    }
    await cache.flush()
    const tableOffset = plan.tableFirst * geometry.clusterSize
    await overlap.check(tableOffset, bytes.length)
    await file.debugEvent('refblock_alloc_write_table')
    await file.write(tableOffset, bytes)
    await file.flush()
    return bytes
  }
}
