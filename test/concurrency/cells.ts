/** A disk cut into cells: the units whose content is one value, that of the request which wrote them last. */
import type { Random } from '@blocklayer/block-core/testing'

const sector = 512

/** Bytes at the head of a cell that hold the number of the request; what follows depends on it and on the place. */
const numberBytes = 4

/** What a cell holds if its bytes are not all of one request. */
export const mixed = -1

/** Cells of whole sectors, or of odd lengths that do not cross sectors. */
export type CellKind = 'sectors' | 'odd'

/** The cells of one disk, by number. */
export class Cells {
  readonly count: number
  readonly #bounds: Int32Array

  /** @param bytes - of the disk, a multiple of 512 */
  constructor(kind: CellKind, bytes: number, choose: Random) {
    const bounds = [0]
    for (let at = 0; at < bytes; at += sector) {
      if (kind === 'odd') bounds.push(...cuts(choose).map((cut) => at + cut))
      bounds.push(at + sector)
    }
    this.count = bounds.length - 1
    this.#bounds = Int32Array.from(bounds)
  }

  /** Offset of a cell's first byte; of the cell behind the last, the end of the disk. */
  start(cell: number): number {
    return this.#bounds[cell]!
  }

  /** Bytes for cells `[first, end)` that all hold `value`; 0 is all zeroes. */
  encode(first: number, end: number, value: number): Uint8Array {
    const origin = this.start(first)
    const bytes = new Uint8Array(this.start(end) - origin)
    if (value === 0) return bytes
    for (let cell = first; cell < end; cell++) {
      const stop = this.start(cell + 1)
      for (let at = this.start(cell); at < stop; at++) bytes[at - origin] = this.byteOf(cell, at, value)
    }
    return bytes
  }

  /** The byte at disk offset `at`, in `cell`, where the cell holds `value`. */
  byteOf(cell: number, at: number, value: number): number {
    if (value === 0) return 0
    const position = at - this.start(cell)
    if (position < numberBytes) return (value >>> (8 * position)) & 0xff
    return (value * 7 + position * 13 + cell * 31 + 1) & 0xff
  }

  /** What a cell holds in `bytes`, which begin at disk offset `origin`: a value, or `mixed`. */
  decode(cell: number, bytes: Uint8Array, origin: number): number {
    const start = this.start(cell)
    let value = 0
    for (let i = numberBytes - 1; i >= 0; i--) value = value * 256 + bytes[start - origin + i]!
    for (let at = start + numberBytes; at < this.start(cell + 1); at++) {
      if (bytes[at - origin] !== this.byteOf(cell, at, value)) return mixed
    }
    return value
  }
}

/** Where a sector is cut: pieces of at least five bytes, so that each has its number and something after it. */
function cuts(choose: Random): number[] {
  const least = numberBytes + 1
  const found: number[] = []
  let at = least + choose.below(300)
  while (at <= sector - least) {
    found.push(at)
    at += least + choose.below(300)
  }
  return found
}
