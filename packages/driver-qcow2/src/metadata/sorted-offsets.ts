/** Where equally long tables lie, in order, so that "does this write hit one of them?" costs a binary search. */

/**
 * A sorted list of offsets of tables that are one cluster each. An offset may be in it more than once: broken images
 * have several entries for one table.
 */
export class SortedOffsets {
  #offsets: Float64Array = new Float64Array(16)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Starts over with the offsets that are not 0 among those of `read(0)` to `read(count - 1)`. */
  fill(count: number, read: (index: number) => number): void {
    this.#count = 0
    for (let index = 0; index < count; index++) {
      const offset = read(index)
      if (offset === 0) continue
      if (this.#count === this.#offsets.length) this.#grow()
      this.#offsets[this.#count++] = offset
    }
    this.#offsets.subarray(0, this.#count).sort()
  }

  /** Adds a table; new ones mostly lie behind all others, which is cheapest. */
  add(offset: number): void {
    if (this.#count === this.#offsets.length) this.#grow()
    const at = this.#position(offset)
    this.#offsets.copyWithin(at + 1, at, this.#count)
    this.#offsets[at] = offset
    this.#count++
  }

  /** Takes one table out; 0 and offsets that are not there change nothing. */
  remove(offset: number): void {
    const at = this.#position(offset)
    if (at === this.#count || this.#offsets[at] !== offset) return
    this.#offsets.copyWithin(at, at + 1, this.#count)
    this.#count--
  }

  /**
   * Whether some table has a byte from `start` to below `end`.
   *
   * @param bytes - length of each table
   */
  overlaps(start: number, end: number, bytes: number): boolean {
    const at = this.#position(start - bytes + 1)
    return at < this.#count && this.#offsets[at]! < end
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#offsets.length)
    larger.set(this.#offsets)
    this.#offsets = larger
  }

  /** How many offsets are below `offset`. */
  #position(offset: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#offsets[middle]! < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
