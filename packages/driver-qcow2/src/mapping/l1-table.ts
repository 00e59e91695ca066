/** The active L1 table: in memory as a whole, on disk entry by entry, and moved when it grows. */

import { type BlkdebugEvent, BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'
import { viewOf } from '../format/bytes.ts'
import { entryBytes, limits } from '../format/constants.ts'
import { type Geometry, type HostOffset, hostOffset } from '../format/geometry.ts'
import { entryHigh, entryLow, entryOffset, isCopied, withCopied } from '../format/l2-entry.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { OverlapCheck } from '../metadata/overlap-check.ts'
import { type RegionMap, rangesOverlap } from '../metadata/region-map.ts'
import { SortedOffsets } from '../metadata/sorted-offsets.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { Allocator } from '../refcount/allocator.ts'

/** What the L1 table is made of. */
export interface L1TableOptions {
  readonly file: Child
  readonly header: HeaderStore
  readonly geometry: Geometry
  readonly regions: RegionMap
  readonly overlap: OverlapCheck
  readonly allocator: Allocator
  readonly refblockCache: TableCache
  /** The table as read from the disk, one entry per 8 bytes. */
  readonly bytes: Uint8Array
}

/**
 * The active L1 table, big-endian as on disk, at most 32 MiB.
 *
 * @see docs/interop/qcow2.txt, "L1 table entry"; QEMU 7.2 block/qcow2-cluster.c: qcow2_grow_l1_table
 */
export class L1Table {
  readonly #options: L1TableOptions
  #bytes: Uint8Array
  #view: DataView
  readonly #tables: SortedOffsets = new SortedOffsets()

  constructor(options: L1TableOptions) {
    this.#options = options
    this.#bytes = options.bytes
    this.#view = viewOf(options.bytes)
    const { regions, header, geometry } = options
    regions.register('active-l1', (start, end) => {
      const { l1TableOffset } = header.header
      return rangesOverlap(start, end, l1TableOffset, l1TableOffset + this.#bytes.length)
    })
    regions.register('active-l2', (start, end) => this.#tables.overlaps(start, end, geometry.clusterSize))
    this.#index()
  }

  get entryCount(): number {
    return this.#bytes.length / entryBytes
  }

  /** The table as on disk; not to be changed by the caller. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Offset of the L2 table of entry `index`, which is below `entryCount`; 0 where there is none. */
  offsetOf(index: number): HostOffset {
    const at = index * entryBytes
    return entryOffset(this.#view.getUint32(at), this.#view.getUint32(at + 4))
  }

  /** Whether the L2 table of entry `index` belongs to this L1 table alone, so that it may be changed in place. */
  isCopied(index: number): boolean {
    return isCopied(this.#view.getUint32(index * entryBytes))
  }

  /**
   * Hooks the L2 table at `offset`, which nobody else refers to, into entry `index`, durably.
   *
   * Memory follows as soon as the write has succeeded: after a failed flush `offsetOf` tells which table is in force.
   */
  async store(index: number, offset: HostOffset): Promise<void> {
    const { file, header, overlap } = this.#options
    const entry = new Uint8Array(entryBytes)
    viewOf(entry).setUint32(0, entryHigh(offset, true))
    viewOf(entry).setUint32(4, entryLow(offset))
    const place = header.header.l1TableOffset + index * entryBytes
    await overlap.check(place, entryBytes, 'active-l1')
    await file.debugEvent('l1_update')
    await file.write(place, entry)
    this.#tables.remove(this.offsetOf(index))
    this.#bytes.set(entry, index * entryBytes)
    this.#tables.add(offset)
    await file.flush()
  }

  /** Sets or clears COPIED in entry `index`, durably, and changes nothing else in it (a repair). */
  async storeCopied(index: number, copied: boolean): Promise<void> {
    const { file, header, overlap } = this.#options
    const entry = this.#bytes.slice(index * entryBytes, (index + 1) * entryBytes)
    viewOf(entry).setUint32(0, withCopied(viewOf(entry).getUint32(0), copied))
    const place = header.header.l1TableOffset + index * entryBytes
    await overlap.check(place, entryBytes, 'active-l1')
    await file.debugEvent('l1_update')
    await file.write(place, entry)
    this.#bytes.set(entry, index * entryBytes)
    await file.flush()
  }

  /**
   * Writes the table over itself, durably, where only COPIED flags may differ: whatever part of it a power cut leaves
   * out, each entry leads to the same table as before.
   */
  async storeFlags(bytes: Uint8Array): Promise<void> {
    if (bytes.every((byte, at) => byte === this.#bytes[at])) return
    const { file, header, overlap } = this.#options
    const place = header.header.l1TableOffset
    await overlap.check(place, bytes.length, 'active-l1')
    await file.write(place, bytes)
    this.#bytes.set(bytes)
    await file.flush()
  }

  /**
   * Makes the table longer, at a new place.
   *
   * @param entriesMin - entries that are needed
   * @param exact - `false`: take half as much again, so that growing step by step moves the table rarely
   * @throws BlockError `EFBIG` beyond 32 MiB
   */
  async grow(entriesMin: number, exact: boolean): Promise<void> {
    if (entriesMin <= this.entryCount) return
    const entries = exact ? entriesMin : grownEntries(this.entryCount, entriesMin)
    if (entries > limits.l1Entries) throw BlockError.fromErrno('EFBIG')
    const { file, header } = this.#options
    const bytes = new Uint8Array(entries * entryBytes)
    bytes.set(this.#bytes)
    await file.debugEvent('l1_grow_alloc_table')
    await this.#move(bytes, {
      beforeWrite: () => file.debugEvent('l1_grow_write_table'),
      activate: async (l1TableOffset) => {
        await file.debugEvent('l1_grow_activate_table')
        await header.storeL1({ l1Size: entries, l1TableOffset })
      },
    })
  }

  /**
   * Puts another table, at a new place, in force together with a virtual size: at every instant the disk shows the old
   * state or the new one. The L2 tables that it refers to are counted and durable. What the old table referred to, and
   * the new one does not, is left to the caller.
   *
   * @param bytes - the new table; not changed by the caller afterwards
   * @param size - virtual size in bytes
   * @param event - announced before the table is written; none where the reference has none
   */
  async switchTo(bytes: Uint8Array, size: number, event?: BlkdebugEvent): Promise<void> {
    const l1Size = bytes.length / entryBytes
    await this.#move(bytes, {
      beforeWrite: async () => {
        if (event !== undefined) await this.#options.file.debugEvent(event)
      },
      activate: (l1TableOffset) => this.#options.header.storeMapping({ size, l1Size, l1TableOffset }),
    })
  }

  /** Moves the table to the first free place, if that lies before the present one, so that the file can end earlier. */
  async moveDown(): Promise<void> {
    const { header, allocator } = this.#options
    if (this.#bytes.length === 0) return
    const place = await allocator.allocate(this.#bytes.length)
    await allocator.free(place, this.#bytes.length, { discard: 'never', unlinked: 'on-disk' })
    if (place < header.header.l1TableOffset) await this.switchTo(this.#bytes.slice(), header.header.size)
  }

  async #move(bytes: Uint8Array, steps: MoveSteps): Promise<void> {
    const { file, header, allocator, refblockCache, overlap } = this.#options
    const offset = bytes.length === 0 ? hostOffset(0) : await allocator.allocate(bytes.length)
    const old = { offset: hostOffset(header.header.l1TableOffset), bytes: this.#bytes.length }
    try {
      // Counted durably before the header may name it: a crash in between leaks it.
      await refblockCache.flush()
      await overlap.check(offset, bytes.length)
      await steps.beforeWrite()
      if (bytes.length > 0) await file.write(offset, bytes)
      await file.flush()
      await steps.activate(offset)
    } catch (error) {
      if (header.header.l1TableOffset === offset) this.replace(bytes)
      else await allocator.free(offset, bytes.length, { discard: 'other', unlinked: 'on-disk' })
      throw toBlockError(error)
    }
    this.replace(bytes)
    await allocator.free(old.offset, old.bytes, { discard: 'other', unlinked: 'on-disk' })
  }

  /** Takes `bytes` as the table in force; its place is the header's business. */
  replace(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#index()
  }

  /** Forgets every L2 table, in memory only; the caller has zeroed the table on disk (emptying an image). */
  clear(): void {
    this.#bytes.fill(0)
    this.#index()
  }

  #index(): void {
    this.#tables.fill(this.entryCount, (index) => this.offsetOf(index))
  }
}

/** What differs between the ways to move the table. */
interface MoveSteps {
  /** Just before the new table is written. */
  beforeWrite(): Promise<void>
  /** Puts the table at this place in force, durably. */
  activate(offset: HostOffset): Promise<void>
}

function grownEntries(entries: number, entriesMin: number): number {
  let grown = Math.max(1, entries)
  while (grown < entriesMin) grown = Math.ceil((grown * 3) / 2)
  return grown
}
