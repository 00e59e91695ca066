/** Which parts of a disk were written since somebody began to look. */

import { BlockError } from '../errors.ts'
import { alignDown, ceilDiv } from '../util/align.ts'
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

/** Least bytes per bit: no request is smaller. */
const granularityMin = 512

/**
 * One bit per granule of a disk, set where a write touched it.
 *
 * @see QEMU 7.2 block/dirty-bitmap.c
 */
export class DirtyBitmap {
  readonly granularity: number
  readonly name: string | undefined
  /** `false`: `markDirty` does nothing. */
  enabled = true
  readonly #bits: HBitmap
  #length: number

  /** @throws BlockError `EINVAL` `Granularity must be power of 2 and at least 512` */
  constructor(options: DirtyBitmapOptions) {
    const { granularity } = options
    if (granularity < granularityMin || !Number.isInteger(Math.log2(granularity))) {
      throw new BlockError('EINVAL', 'Granularity must be power of 2 and at least 512')
    }
    this.granularity = granularity
    this.name = options.name
    this.#length = options.length
    this.#bits = new HBitmap(ceilDiv(options.length, granularity))
  }

  /** Bytes of the disk. */
  get length(): number {
    return this.#length
  }

  /** Dirty granules in bytes; the last granule counts whole, even where the disk ends inside it. */
  get dirtyBytes(): number {
    return this.#bits.count * this.granularity
  }

  /** Marks every granule that the range touches, unless the bitmap is disabled. Parts past the end are ignored. */
  markDirty(offset: number, bytes: number): void {
    if (this.enabled && bytes > 0) this.#bits.set(this.#granule(offset), ceilDiv(offset + bytes, this.granularity))
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

  /** Follows the disk's length: new parts are clean, parts past a smaller end are forgotten. */
  truncate(length: number): void {
    this.#bits.resize(ceilDiv(length, this.granularity))
    this.#length = length
  }

  #granule(offset: number): number {
    return alignDown(offset, this.granularity) / this.granularity
  }

  #granuleEnd(offset: number): number {
    return ceilDiv(Math.min(offset, this.#length), this.granularity)
  }
}
