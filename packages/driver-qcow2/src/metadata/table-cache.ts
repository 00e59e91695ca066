/** Tables on disk, kept in one block of memory of a stated size, and written back in a declared order. */

import { assert, type BlkdebugEvent, type BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'
import { hexPrefixed } from '../format/bytes.ts'
import type { Corruption } from './corruption.ts'
import type { DataFile } from './data-file.ts'

/** What a cache is made of. */
export interface TableCacheOptions {
  readonly file: Child
  /** What the entries' data lies in. */
  readonly data: DataFile
  /** How messages call an entry. */
  readonly name: 'L2 table' | 'refcount block'
  /** Slots; at least 2. */
  readonly entryCount: number
  /** Bytes of a slot: a power of two from 512 to the cluster size. */
  readonly entrySize: number
  /** Announced before an entry is read, where the reference announces it. */
  readonly loadEvent: BlkdebugEvent | undefined
  /** Announced before an entry is written. */
  readonly storeEvent: BlkdebugEvent
  readonly corruption: Corruption
  /** Throws where these bytes belong to another structure. */
  checkOverlap(offset: number, bytes: number): Promise<void> | undefined
}

/**
 * A write-back cache of equally long tables, found by their offset in the file.
 *
 * A slot number stays valid until two further tables of the same cache have been loaded: the least recently used slot
 * is the one that is taken. Held under the metadata lock throughout.
 *
 * @see QEMU 7.2 block/qcow2-cache.c
 */
export class TableCache {
  readonly #options: TableCacheOptions
  #entryCount: number
  #entrySize: number
  #bytes: Uint8Array
  #view: DataView
  /** Offset in the file of each slot; 0 is an empty slot, since the header is at 0. */
  #offsets: Float64Array
  /** When each slot was used last. */
  #used: Float64Array
  #dirty: Uint8Array
  #clock = 0
  /** What `#clock` was when `dropUnused` ran last. */
  #droppedAt = 0
  #dirtyCount = 0
  #before: TableCache | undefined
  #flushBefore = false
  #durableListener: (() => Promise<void>) | undefined

  constructor(options: TableCacheOptions) {
    this.#options = options
    this.#entryCount = options.entryCount
    this.#entrySize = options.entrySize
    this.#bytes = new Uint8Array(options.entryCount * options.entrySize)
    this.#view = new DataView(this.#bytes.buffer)
    this.#offsets = new Float64Array(options.entryCount)
    this.#used = new Float64Array(options.entryCount)
    this.#dirty = new Uint8Array(options.entryCount)
  }

  /** All slots, one behind the other. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** `bytes` for reading and writing entries. */
  get view(): DataView {
    return this.#view
  }

  /** Bytes of a slot. */
  get entrySize(): number {
    return this.#entrySize
  }

  get entryCount(): number {
    return this.#entryCount
  }

  /** Whether some entry waits to be written. */
  get isDirty(): boolean {
    return this.#dirtyCount > 0
  }

  /** Where slot `slot` begins in `bytes`. */
  start(slot: number): number {
    return slot * this.#entrySize
  }

  /** Offset in the file of what slot `slot` holds; 0 if nothing. */
  offsetOf(slot: number): number {
    return this.#offsets[slot]!
  }

  /** Slot that holds the table at `offset`, or -1. Counts as a use. */
  peek(offset: number): number {
    const slot = this.#find(offset)
    if (slot >= 0) this.#used[slot] = ++this.#clock
    return slot
  }

  /**
   * Slot with the table at `offset`, read from the file if need be.
   *
   * @throws BlockError of the file, or `EIO` after an unaligned offset has been reported as corruption
   */
  async load(offset: number): Promise<number> {
    const found = this.peek(offset)
    if (found >= 0) return found
    const slot = await this.#take(offset)
    if (this.#options.loadEvent !== undefined) await this.#options.file.debugEvent(this.#options.loadEvent)
    await this.#options.file.read(offset, this.#slotBytes(slot))
    return this.#occupy(slot, offset)
  }

  /** Slot for a table at `offset` whose old content does not matter; the caller fills all of it. */
  async loadEmpty(offset: number): Promise<number> {
    const found = this.peek(offset)
    if (found >= 0) return found
    return this.#occupy(await this.#take(offset), offset)
  }

  /** The slot was changed and must reach the file some time. */
  markDirty(slot: number): void {
    assert(this.#offsets[slot] !== 0, `${this.#options.name} cache: an empty slot was changed`)
    if (this.#dirty[slot] === 0) this.#dirtyCount++
    this.#dirty[slot] = 1
  }

  /** Forgets the table at `offset`, changed or not: its cluster has been freed. */
  forget(offset: number): void {
    const slot = this.#find(offset)
    if (slot >= 0) this.#clear(slot)
  }

  /**
   * Everything dirty in `other` must be durable before anything of this cache is written.
   *
   * Flushes what `other` itself waits for first, since two caches that wait for each other could never be written.
   */
  async dependOn(other: TableCache): Promise<void> {
    if (this.#before === other) return
    if (other.#before !== undefined) await other.#satisfy()
    if (this.#before !== undefined) await this.#satisfy()
    this.#before = other
  }

  /** The data must be flushed before anything of this cache is written: entries would point to what is not durable. */
  dependOnFlush(): void {
    this.#flushBefore = true
  }

  /** Names who is told whenever all that this cache holds has become durable. */
  onDurable(listener: () => Promise<void>): void {
    this.#durableListener = listener
  }

  /** To be called by whoever flushed the file after a successful `store` with nothing in between. */
  async announceDurable(): Promise<void> {
    if (this.#durableListener !== undefined) await this.#durableListener()
  }

  /**
   * Writes what is dirty, in slot order, and goes on after an error.
   *
   * @throws BlockError `ENOSPC` if one entry met it, else the last error
   */
  async store(): Promise<void> {
    let failure: BlockError | undefined
    for (let slot = 0; slot < this.#entryCount && this.#dirtyCount > 0; slot++) {
      if (this.#dirty[slot] === 0) continue
      try {
        await this.#storeSlot(slot)
      } catch (error) {
        const blockError = toBlockError(error)
        if (failure?.code !== 'ENOSPC') failure = blockError
      }
    }
    if (failure !== undefined) throw failure
  }

  /** `store`, then a flush of the file, even where nothing was dirty. */
  async flush(): Promise<void> {
    await this.store()
    await this.#options.file.flush()
    await this.announceDurable()
  }

  /** `flush`, then forgets everything. */
  async empty(): Promise<void> {
    await this.flush()
    this.#offsets.fill(0)
    this.#used.fill(0)
  }

  /** Forgets what has not been used since the last call and needs no writing, and gives its memory back. */
  dropUnused(): void {
    const since = this.#droppedAt
    this.#droppedAt = this.#clock
    let dropped = false
    for (let slot = 0; slot < this.#entryCount; slot++) {
      if (this.#offsets[slot] === 0 || this.#dirty[slot] === 1 || this.#used[slot]! > since) continue
      this.#clear(slot)
      dropped = true
    }
    if (!dropped) return
    // Memory goes back only as a whole. Of the new block, nothing but what is copied into it takes any.
    const bytes = new Uint8Array(this.#bytes.length)
    for (let slot = 0; slot < this.#entryCount; slot++) {
      if (this.#offsets[slot] !== 0) bytes.set(this.#slotBytes(slot), this.start(slot))
    }
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }

  /** Changes the cache's shape; what it held is written back first. */
  async resize(entryCount: number, entrySize: number): Promise<void> {
    if (entryCount === this.#entryCount && entrySize === this.#entrySize) return
    await this.empty()
    this.#entryCount = entryCount
    this.#entrySize = entrySize
    this.#bytes = new Uint8Array(entryCount * entrySize)
    this.#view = new DataView(this.#bytes.buffer)
    this.#offsets = new Float64Array(entryCount)
    this.#used = new Float64Array(entryCount)
    this.#dirty = new Uint8Array(entryCount)
  }

  #find(offset: number): number {
    // Empty slots have this offset: they hold no table, and least of all the one in the header's place.
    if (offset === 0) return -1
    const count = this.#entryCount
    const offsets = this.#offsets
    // Neighbouring tables start their search four slots apart, so that a hit is mostly the first slot looked at.
    const first = (Math.floor(offset / this.#entrySize) * 4) % count
    for (let slot = first; slot < count; slot++) if (offsets[slot] === offset) return slot
    for (let slot = 0; slot < first; slot++) if (offsets[slot] === offset) return slot
    return -1
  }

  /** An empty slot for `offset`: the least recently used one, written back if it is dirty. */
  async #take(offset: number): Promise<number> {
    if (offset % this.#entrySize !== 0 || offset === 0) {
      throw await this.#options.corruption.signal(
        'fatal',
        `Cannot get entry from ${this.#options.name} cache: Offset ${hexPrefixed(offset)} is unaligned`,
      )
    }
    const count = this.#entryCount
    const first = (Math.floor(offset / this.#entrySize) * 4) % count
    let victim = first
    for (let step = 1; step < count; step++) {
      const slot = (first + step) % count
      if (this.#used[slot]! < this.#used[victim]!) victim = slot
    }
    if (this.#dirty[victim] === 1) await this.#storeSlot(victim)
    this.#clear(victim)
    return victim
  }

  #occupy(slot: number, offset: number): number {
    this.#offsets[slot] = offset
    this.#used[slot] = ++this.#clock
    return slot
  }

  #clear(slot: number): void {
    if (this.#dirty[slot] === 1) this.#dirtyCount--
    this.#dirty[slot] = 0
    this.#offsets[slot] = 0
    this.#used[slot] = 0
  }

  #slotBytes(slot: number): Uint8Array {
    return this.#bytes.subarray(slot * this.#entrySize, (slot + 1) * this.#entrySize)
  }

  /** Makes durable what must be durable before an entry of this cache is written. */
  async #satisfy(): Promise<void> {
    const { data } = this.#options
    const before = this.#before
    if (before !== undefined) {
      await before.flush()
      this.#before = undefined
      // The flush was one of the whole file: what data lies in it was covered as well.
      if (!data.isExternal) this.#flushBefore = false
    }
    if (!this.#flushBefore) return
    await data.flush()
    this.#flushBefore = false
  }

  async #storeSlot(slot: number): Promise<void> {
    await this.#satisfy()
    const offset = this.#offsets[slot]!
    const check = this.#options.checkOverlap(offset, this.#entrySize)
    if (check !== undefined) await check
    await this.#options.file.debugEvent(this.#options.storeEvent)
    await this.#options.file.write(offset, this.#slotBytes(slot))
    this.#dirty[slot] = 0
    this.#dirtyCount--
  }
}
