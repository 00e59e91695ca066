/** L2 tables in slices: finding the slice of a guest offset, and making a table of one's own where there is none. */

import { type Child, toBlockError } from '@blocklayer/block-core/driver'
import { hexPrefixed } from '../format/bytes.ts'
import { type Geometry, type GuestOffset, type HostOffset, isClusterAligned, l1Index } from '../format/geometry.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { Allocator } from '../refcount/allocator.ts'
import type { L1Table } from './l1-table.ts'

/** What L2 tables are reached through. */
export interface L2TablesOptions {
  readonly file: Child
  readonly geometry: Geometry
  readonly l1: L1Table
  readonly cache: TableCache
  readonly refblockCache: TableCache
  readonly allocator: Allocator
  readonly corruption: Corruption
}

/**
 * The L2 tables of an image, through their cache, whose entries are slices of one or more per table.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: l2_load, l2_allocate, get_cluster_table
 */
export class L2Tables {
  readonly #parts: L2TablesOptions
  readonly geometry: Geometry
  readonly l1: L1Table
  readonly cache: TableCache

  constructor(options: L2TablesOptions) {
    this.#parts = options
    this.geometry = options.geometry
    this.l1 = options.l1
    this.cache = options.cache
  }

  /** Entries of one slice. */
  get sliceEntries(): number {
    return this.cache.entrySize / this.geometry.l2EntrySize
  }

  /** Number of the entry for `offset` in its slice. */
  sliceIndex(offset: GuestOffset): number {
    return Math.floor(offset / this.geometry.clusterSize) % this.sliceEntries
  }

  /** Entries from the one for `offset` to the end of its slice. */
  entriesToSliceEnd(offset: GuestOffset): number {
    return this.sliceEntries - this.sliceIndex(offset)
  }

  /** Position in `cache.view` of the entry for `offset`, given the slot of its slice. */
  entryPosition(slot: number, offset: GuestOffset): number {
    return this.cache.start(slot) + this.sliceIndex(offset) * this.geometry.l2EntrySize
  }

  /** Offset of the L2 table that covers `offset`; 0 where there is none. */
  tableOffset(offset: GuestOffset): HostOffset {
    const index = l1Index(this.geometry, offset)
    return index < this.l1.entryCount ? this.l1.offsetOf(index) : (0 as HostOffset)
  }

  /**
   * Slot of the slice that covers `offset`, for reading; -1 where no table covers it.
   *
   * @throws BlockError `EIO` after corruption has been reported, or of the file
   */
  async load(offset: GuestOffset): Promise<number> {
    const table = this.tableOffset(offset)
    if (table === 0) return -1
    if (!isClusterAligned(this.geometry, table)) throw await this.#unaligned(table, offset)
    return this.cache.load(table + this.#sliceStart(offset))
  }

  /**
   * Slot of the slice that covers `offset`, for writing: in a table that belongs to the active L1 table alone, which is
   * made, empty or as a copy, where that is not so yet.
   */
  async loadForUpdate(offset: GuestOffset): Promise<number> {
    const index = l1Index(this.geometry, offset)
    if (index >= this.l1.entryCount) await this.l1.grow(index + 1, false)
    const table = this.l1.offsetOf(index)
    if (!isClusterAligned(this.geometry, table)) throw await this.#unaligned(table, offset)
    // COPIED without an offset, which no writer leaves behind, is no table of one's own.
    if (!this.l1.isCopied(index) || table === 0) await this.#allocate(index, table)
    return this.cache.load(this.l1.offsetOf(index) + this.#sliceStart(offset))
  }

  /** Whether the table at `table` has an entry that is not empty, from number `from` on. */
  async hasEntriesFrom(table: HostOffset, from: number): Promise<boolean> {
    const { cache, geometry } = this
    for (let at = 0; at < geometry.clusterSize; at += cache.entrySize) {
      const first = Math.max(0, from * geometry.l2EntrySize - at)
      if (first >= cache.entrySize) continue
      const start = cache.start(await cache.load(table + at))
      if (cache.bytes.subarray(start + first, start + cache.entrySize).some((byte) => byte !== 0)) return true
    }
    return false
  }

  /**
   * A new table, in the cache and counted, with the first `kept` entries of the one at `table`; no L1 entry refers to it
   * yet. The refcounts of what the entries point to are the caller's business.
   */
  async makeCopy(table: HostOffset, kept: number): Promise<HostOffset> {
    const { allocator, cache, geometry } = this.#parts
    const offset = await this.#allocateTable()
    try {
      await this.#fill(offset, table)
      for (let at = 0; at < geometry.clusterSize; at += cache.entrySize) {
        const first = Math.max(0, kept * geometry.l2EntrySize - at)
        if (first >= cache.entrySize) continue
        const slot = await cache.load(offset + at)
        cache.bytes.fill(0, cache.start(slot) + first, cache.start(slot) + cache.entrySize)
        cache.markDirty(slot)
      }
      return offset
    } catch (error) {
      await allocator.freeTable(offset, { discard: 'always', unlinked: 'on-disk' })
      throw toBlockError(error)
    }
  }

  /** Moves the table of L1 entry `index`, which is nobody else's, to the first free cluster if that lies before it. */
  async moveDown(index: number): Promise<void> {
    const { allocator, geometry } = this.#parts
    const old = this.l1.offsetOf(index)
    const place = await allocator.allocate(geometry.clusterSize)
    await allocator.free(place, geometry.clusterSize, { discard: 'never', unlinked: 'on-disk' })
    if (place < old) await this.#allocate(index, old)
  }

  async #allocateTable(): Promise<HostOffset> {
    const { allocator, corruption, geometry } = this.#parts
    const offset = await allocator.allocate(geometry.clusterSize)
    if (offset === 0) {
      throw await corruption.signal('fatal', 'Preventing invalid allocation of L2 table at offset 0')
    }
    return offset
  }

  /** Gives L1 entry `index` a table of its own: a copy of the one at `old`, or an empty one where `old` is 0. */
  async #allocate(index: number, old: HostOffset): Promise<void> {
    const { allocator, refblockCache, cache } = this.#parts
    const offset = await this.#allocateTable()
    try {
      // Refcount, then table, then the L1 entry, each durable before the next: whatever a crash leaves out, no entry
      // points to a cluster that counts as free, or to one that holds something else.
      await refblockCache.flush()
      await this.#fill(offset, old)
      await cache.flush()
      await this.l1.store(index, offset)
    } catch (error) {
      // Only a flush failed if the new entry is in force: then the new table is the right one, and the old one leaks.
      if (this.l1.offsetOf(index) !== offset) {
        await allocator.freeTable(offset, { discard: 'always', unlinked: 'on-disk' })
      }
      throw toBlockError(error)
    }
    if (old !== 0) await allocator.freeTable(old, { discard: 'other', unlinked: 'on-disk' })
  }

  /** Writes the new table at `offset` into the cache, slice by slice. */
  async #fill(offset: HostOffset, old: HostOffset): Promise<void> {
    const { cache, file, geometry } = this.#parts
    for (let at = 0; at < geometry.clusterSize; at += cache.entrySize) {
      const slot = await cache.loadEmpty(offset + at)
      const start = cache.start(slot)
      if (old === 0) {
        cache.bytes.fill(0, start, start + cache.entrySize)
      } else {
        await file.debugEvent('l2_alloc_cow_read')
        const source = cache.start(await cache.load(old + at))
        cache.bytes.copyWithin(start, source, source + cache.entrySize)
      }
      await file.debugEvent('l2_alloc_write')
      cache.markDirty(slot)
    }
  }

  /** Distance from the start of its table to the slice that covers `offset`, in bytes. */
  #sliceStart(offset: GuestOffset): number {
    const entry = Math.floor(offset / this.geometry.clusterSize) % this.geometry.l2Entries
    return (entry - (entry % this.sliceEntries)) * this.geometry.l2EntrySize
  }

  async #unaligned(table: HostOffset, offset: GuestOffset): Promise<Error> {
    const index = hexPrefixed(l1Index(this.geometry, offset))
    return this.#parts.corruption.signal(
      'fatal',
      `L2 table offset ${hexPrefixed(table)} unaligned (L1 index: ${index})`,
    )
  }
}
