/** Which parts of a disk were written since somebody began to look. */

import { BlockError } from '../errors.ts'
import { alignDown, ceilDiv } from '../util/align.ts'
import { decodeBits, encodeBits, encodedBytes, itemsPerUnit } from './bitmap-bytes.ts'
import { checkGranularity } from './bitmap-rules.ts'
import { HBitmap } from './hbitmap.ts'

/** What a dirty bitmap is made for. */
export interface DirtyBitmapOptions {
  /** Bytes of the disk. */
  readonly length: number
  /** Bytes per bit: a power of two, at least 512. */
  readonly granularity: number
  /** Absent for the bitmaps that jobs keep to themselves. */
  readonly name?: string | undefined
}

/** A range of a disk in bytes. */
export interface ByteRange {
  readonly offset: number
  readonly bytes: number
}

/** What a bitmap was before a change that may have to be undone, and what was marked since. */
interface Kept {
  readonly before: HBitmap
  readonly since: HBitmap
}

/**
 * One bit per granule of a disk, set where a write touched it.
 *
 * The flags here say what the bitmap is; who may change it in which state is checked by the operations that users
 * call (`graph/dirty-bitmaps.ts`), not by the methods.
 *
 * @see QEMU 7.2 block/dirty-bitmap.c; spec/block-layer.md, section 27
 */
export class DirtyBitmap {
  readonly granularity: number
  /** Unique on its node; a successor takes over its parent's. */
  name: string | undefined
  /** `false`: `markDirty` does nothing. */
  enabled = true
  /** Somebody works with it (a job, an export): users can neither change nor remove it. */
  busy = false
  /** It stands in an image that cannot be written: no write to the node may go unrecorded, so there is none (`EPERM`). */
  readOnly = false
  /** The image keeps it. */
  persistent = false
  /** The image's writer did not close it: its bits mean nothing, and it can only be removed. */
  inconsistent = false
  /** Records in its place while a job works with it. */
  successor: DirtyBitmap | undefined
  #bits: HBitmap
  #length: number
  /** Changes that may still be undone; mostly none. */
  readonly #kept: Set<Kept> = new Set()

  /** @throws BlockError `EINVAL` `Granularity must be power of 2 and at least 512`, `ENOMEM` */
  constructor(options: DirtyBitmapOptions) {
    checkGranularity(options.granularity)
    this.granularity = options.granularity
    this.name = options.name
    this.#length = options.length
    this.#bits = allocBits(ceilDiv(options.length, options.granularity))
  }

  /** Bytes of the disk. */
  get length(): number {
    return this.#length
  }

  /** Dirty granules in bytes; the last granule counts whole, even where the disk ends inside it. */
  get dirtyBytes(): number {
    return this.#bits.count * this.granularity
  }

  /** Memory that the bits and their summaries take at most, in bytes. */
  get memoryBytes(): number {
    return this.#bits.bytes
  }

  /** Writes to the node are recorded, here or in the successor. */
  get recording(): boolean {
    return this.enabled || this.successor?.enabled === true
  }

  /** Marks every granule that the range touches, unless the bitmap is disabled. Parts past the end are ignored. */
  markDirty(offset: number, bytes: number): void {
    if (!this.enabled || bytes <= 0) return
    const start = this.#granule(offset)
    const end = ceilDiv(offset + bytes, this.granularity)
    this.#bits.set(start, end)
    if (this.#kept.size > 0) for (const kept of this.#kept) kept.since.set(start, end)
  }

  /** Clears every granule that the range touches: give whole granules (the last may end at the disk's end). */
  reset(offset: number, bytes: number): void {
    if (bytes > 0) this.#bits.reset(this.#granule(offset), ceilDiv(offset + bytes, this.granularity))
  }

  /** Clears everything. */
  clear(): void {
    this.#bits.reset(0, this.#bits.size)
  }

  /** Whether the granule that holds `offset` is dirty; false past the end. */
  isDirty(offset: number): boolean {
    return this.#bits.get(this.#granule(offset))
  }

  /** First dirty byte at or after `offset` (before `end`), or `undefined`. */
  nextDirty(offset: number, end: number = this.#length): number | undefined {
    if (offset >= end) return undefined
    const granule = this.#bits.nextSet(this.#granule(offset), this.#granuleEnd(end))
    return granule === undefined ? undefined : Math.max(offset, granule * this.granularity)
  }

  /** First clean byte at or after `offset` (before `end`), or `undefined`. */
  nextClean(offset: number, end: number = this.#length): number | undefined {
    if (offset >= end) return undefined
    const granule = this.#bits.nextClear(this.#granule(offset), this.#granuleEnd(end))
    return granule === undefined ? undefined : Math.max(offset, granule * this.granularity)
  }

  /**
   * First run of dirty bytes in `[offset, end)`, cut at `maxBytes` and at `end`; `undefined` where all is clean.
   *
   * @param maxBytes - at least 1
   */
  nextDirtyArea(
    offset: number,
    end: number = this.#length,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): ByteRange | undefined {
    const stop = Math.min(end, this.#length)
    const start = this.nextDirty(offset, stop)
    if (start === undefined) return undefined
    const areaEnd = this.nextClean(start, Math.min(stop, start + maxBytes)) ?? Math.min(stop, start + maxBytes)
    return { offset: start, bytes: areaEnd - start }
  }

  /**
   * Runs of dirty bytes in `[offset, end)`, in ascending order, none longer than `maxBytes`. The bitmap may change
   * while they are taken: what is marked behind the last run is not seen, what is marked ahead is.
   */
  *dirtyAreas(
    offset = 0,
    end: number = this.#length,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Generator<ByteRange, void, undefined> {
    let area = this.nextDirtyArea(offset, end, maxBytes)
    while (area !== undefined) {
      yield area
      area = this.nextDirtyArea(area.offset + area.bytes, end, maxBytes)
    }
  }

  /**
   * Follows the disk's length: new parts are clean, parts past a smaller end are forgotten.
   *
   * @throws BlockError `ENOMEM`; the bitmap is as it was then
   */
  truncate(length: number): void {
    const size = ceilDiv(length, this.granularity)
    if (size !== this.#bits.size) {
      orNoMemory(() => this.#bits.resize(size))
      for (const { before, since } of this.#kept) {
        before.resize(size)
        since.resize(size)
      }
    }
    this.#length = length
  }

  /** Marks all that is dirty in `source`, a bitmap of a disk of the same length; granularities may differ. */
  merge(source: DirtyBitmap): void {
    if (source === this) return
    if (source.granularity === this.granularity) this.#bits.merge(source.#bits)
    else
      for (const run of source.#bits.runs()) this.#markRun(run.start * source.granularity, run.end * source.granularity)
  }

  /** An anonymous bitmap with the same bits and nothing else. */
  clone(): DirtyBitmap {
    const copy = new DirtyBitmap({ length: 0, granularity: this.granularity })
    copy.#length = this.#length
    copy.#bits = this.#bits.clone()
    return copy
  }

  /**
   * Remembers today's bits. What is marked between now and an undo stays marked also after it: a write that came in
   * between happened, whatever becomes of the change.
   *
   * @returns the two ways to end it, of which exactly one must be called
   */
  keepBits(): { undo: () => void; forget: () => void } {
    const kept: Kept = { before: this.#bits.clone(), since: allocBits(this.#bits.size) }
    this.#kept.add(kept)
    const forget = (): void => void this.#kept.delete(kept)
    const undo = (): void => {
      forget()
      this.#bits = kept.before
      this.#bits.merge(kept.since)
    }
    return { undo, forget }
  }

  /** Parts given to `encode` and the others must begin, and unless they end the disk end, at a multiple of this. */
  get encodingAlign(): number {
    return itemsPerUnit * this.granularity
  }

  /** Length of what `encode` gives for `bytes` bytes of the disk. */
  encodedBytes(bytes: number): number {
    return encodedBytes(ceilDiv(bytes, this.granularity))
  }

  /** The bits of a part of the disk, bit i of byte n being granule 8n + i of the part, padded to 8 bytes. */
  encode(offset: number, bytes: number): Uint8Array {
    return encodeBits(this.#bits, this.#granule(offset), this.#granuleEnd(offset + bytes))
  }

  /** Replaces the bits of a part of the disk; padding is ignored. */
  decode(encoded: Uint8Array, offset: number, bytes: number): void {
    decodeBits(this.#bits, encoded, this.#granule(offset), this.#granuleEnd(offset + bytes))
  }

  /** As `decode` of nothing but ones, or of nothing but zeroes. */
  decodeAll(value: 0 | 1, offset: number, bytes: number): void {
    const change = value === 1 ? 'set' : 'reset'
    this.#bits[change](this.#granule(offset), this.#granuleEnd(offset + bytes))
  }

  #markRun(start: number, end: number): void {
    this.#bits.set(this.#granule(start), ceilDiv(end, this.granularity))
  }

  #granule(offset: number): number {
    return alignDown(offset, this.granularity) / this.granularity
  }

  #granuleEnd(offset: number): number {
    return ceilDiv(Math.min(offset, this.#length), this.granularity)
  }
}

function allocBits(size: number): HBitmap {
  return orNoMemory(() => new HBitmap(size))
}

function orNoMemory<T>(alloc: () => T): T {
  try {
    return alloc()
  } catch (error) {
    // What no array can hold is a matter of the disk's size and the granularity, which the user chose.
    if (error instanceof RangeError) throw BlockError.fromErrno('ENOMEM', { cause: error })
    throw error
  }
}
