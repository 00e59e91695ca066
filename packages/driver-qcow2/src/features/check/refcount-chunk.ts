/** Reference counts of clusters in a row, in as little memory as they take. */

import { findZeroRefcount, getRefcount, setRefcount } from '../../format/refcount-bits.ts'

/**
 * One bit per cluster, until something refers to one of them a second time: so an image without snapshots is checked in a
 * fraction of what its refcount blocks take. From then on counts of the image's own width.
 */
export class RefcountChunk {
  readonly #clusters: number
  /** The image's width, as a power of two. */
  readonly #imageOrder: number
  /** The width of what is here. */
  #order = 0
  #counts: Uint8Array

  /**
   * @param clusters - a multiple of 8
   * @param imageOrder - 0 to 6
   */
  constructor(clusters: number, imageOrder: number) {
    this.#clusters = clusters
    this.#imageOrder = imageOrder
    this.#counts = new Uint8Array(clusters / 8)
  }

  /** References counted to cluster number `index` of the chunk. */
  get(index: number): number {
    return getRefcount(this.#counts, this.#order, index)
  }

  /** Counts one more reference. @returns false where there are `max` already */
  increment(index: number, max: number): boolean {
    if (this.#order === 0) {
      // What nearly every call of a check does, tens of millions of times.
      const byte = index >> 3
      const bit = 1 << (index & 7)
      const bits = this.#counts[byte]!
      if ((bits & bit) === 0) {
        this.#counts[byte] = bits | bit
        return true
      }
    }
    const count = this.get(index)
    if (count >= max) return false
    this.set(index, count + 1)
    return true
  }

  /** @param count - what the image's width can hold */
  set(index: number, count: number): void {
    if (count > 1 && this.#order !== this.#imageOrder) this.#widen()
    setRefcount(this.#counts, this.#order, index, count)
  }

  #widen(): void {
    const counts = new Uint8Array((this.#clusters * 2 ** this.#imageOrder) / 8)
    this.copyTo(counts)
    this.#counts = counts
    this.#order = this.#imageOrder
  }

  /** Writes the counts as they are laid out in refcount blocks; `into` is as long as the chunk's blocks. */
  copyTo(into: Uint8Array): void {
    if (this.#order === this.#imageOrder) {
      into.set(this.#counts)
      return
    }
    into.fill(0)
    const bytesOfEight = 2 ** this.#imageOrder
    const eight = new Uint8Array(bytesOfEight)
    for (let index = 0; index < 8; index++) setRefcount(eight, this.#imageOrder, index, 1)
    for (let byte = 0; byte < this.#counts.length; byte++) {
      const bits = this.#counts[byte]!
      // Most of a full image: eight clusters with one reference each.
      if (bits === 0xff) {
        into.set(eight, byte * bytesOfEight)
        continue
      }
      for (let bit = 0; bits >> bit !== 0; bit++) {
        if (((bits >> bit) & 1) !== 0) setRefcount(into, this.#imageOrder, 8 * byte + bit, 1)
      }
    }
  }

  /** First free cluster at or after `from`; the number of clusters where none is. */
  nextFree(from: number): number {
    return findZeroRefcount(this.#counts, this.#order, from, this.#clusters)
  }

  /** First cluster in use at or after `from`, or -1. */
  nextUsed(from: number): number {
    const bits = 2 ** this.#order
    for (let index = from; index < this.#clusters; ) {
      if (this.get(index) !== 0) return index
      // Whole bytes of free clusters at once: most of a sparse file is free.
      let byte = Math.ceil(((index + 1) * bits) / 8)
      if (((index + 1) * bits) % 8 === 0) while (byte < this.#counts.length && this.#counts[byte] === 0) byte++
      else byte = 0
      index = Math.max(index + 1, Math.floor((byte * 8) / bits))
    }
    return -1
  }

  /** Last cluster in use from `first` to before `end`, or -1. */
  lastUsed(first: number, end: number): number {
    const bits = 2 ** this.#order
    for (let index = end - 1; index >= first; index--) {
      if (this.get(index) !== 0) return index
      if ((index * bits) % 8 !== 0) continue
      // Whole bytes of free clusters at once, but none before the range: another range looks at those.
      const lowest = Math.ceil((first * bits) / 8)
      let byte = Math.floor((index * bits) / 8)
      while (byte > lowest && this.#counts[byte - 1] === 0) byte--
      index = Math.min(index, Math.ceil((byte * 8) / bits))
    }
    return -1
  }
}
