/** A set of whole numbers as bits, with summaries above them. */

import {
  findClear,
  findSet,
  type Levels,
  levelBytes,
  makeLevels,
  mergeLevels,
  resetBits,
  resizeLevels,
  setBits,
  storeWord,
  wordBits,
} from './levels.ts'

/** `[start, end)`, in items. */
export interface Run {
  readonly start: number
  readonly end: number
}

/**
 * A set of whole numbers below `size`. Costs `size` / 8 bytes and 1/63 more; the number of set items is kept, not counted.
 *
 * Item numbers may pass 2^31, so words are found by division; bit operators only see positions inside one word.
 *
 * @see QEMU 7.2 include/qemu/hbitmap.h (the idea)
 */
export class HBitmap {
  #levels: Levels
  #size: number
  #count = 0

  /** @param size - number of items, from 0; a level is one typed array, so at most about 2^37 */
  constructor(size: number) {
    this.#size = size
    this.#levels = makeLevels(size)
  }

  get size(): number {
    return this.#size
  }

  /** How many items are set. */
  get count(): number {
    return this.#count
  }

  /** Memory of all words in bytes. */
  get bytes(): number {
    return levelBytes(this.#levels)
  }

  /** The words, to be looked at. */
  get levels(): Levels {
    return this.#levels
  }

  /** Whether `item` is set; false past the end. */
  get(item: number): boolean {
    const index = Math.floor(item / wordBits)
    return item < this.#size && ((this.#levels[0]![index]! >>> (item - index * wordBits)) & 1) === 1
  }

  /** Sets the items of `[start, end)`; what lies past the end of the bitmap is ignored. */
  set(start: number, end: number): void {
    const stop = Math.min(end, this.#size)
    if (start < stop) this.#count += setBits(this.#levels, start, stop)
  }

  /** Clears the items of `[start, end)`; what lies past the end of the bitmap is ignored. */
  reset(start: number, end: number): void {
    const stop = Math.min(end, this.#size)
    if (start < stop) this.#count -= resetBits(this.#levels, start, stop)
  }

  /** First set item in `[start, end)`, or `undefined`. */
  nextSet(start: number, end: number = this.#size): number | undefined {
    const found = findSet(this.#levels, start)
    return found !== undefined && found < end ? found : undefined
  }

  /** First item in `[start, end)` that is not set, or `undefined`. */
  nextClear(start: number, end: number = this.#size): number | undefined {
    const stop = Math.min(end, this.#size)
    return start < stop ? findClear(this.#levels, start, stop) : undefined
  }

  /** The longest runs of set items in `[start, end)`, in ascending order. */
  *runs(start = 0, end: number = this.#size): Generator<Run, void, undefined> {
    const stop = Math.min(end, this.#size)
    for (let from = this.nextSet(start, stop); from !== undefined; ) {
      const to = this.nextClear(from, stop) ?? stop
      yield { start: from, end: to }
      from = this.nextSet(to, stop)
    }
  }

  /** Sets all that is set in `other`, which must have the same size. */
  merge(other: HBitmap): void {
    this.#count += mergeLevels(this.#levels, other.#levels)
  }

  /** The same items, from now on apart. */
  clone(): HBitmap {
    const copy = new HBitmap(0)
    copy.#levels = this.#levels.map((words) => words.slice())
    copy.#size = this.#size
    copy.#count = this.#count
    return copy
  }

  /** Changes the number of items; new ones are clear, those past a smaller end are forgotten. */
  resize(size: number): void {
    if (size < this.#size) this.reset(size, this.#size)
    // First what can fail: no memory for so many.
    this.#levels = resizeLevels(this.#levels, size)
    this.#size = size
  }

  /** Puts 32 items at once, from item 32 * `index`; bits for items past the end are ignored. */
  storeWord(index: number, value: number): void {
    const rest = Math.max(0, this.#size - index * wordBits)
    const kept = rest >= wordBits ? value : value & ~(-1 << rest)
    this.#count += storeWord(this.#levels, index, kept)
  }
}
