/** A bitmap with summaries above it, so that a search skips clean gigabytes in a few steps. */

/** Bits per word, and so the fan-out from one level to the next. */
const wordBits = 32

/** A word with ones from bit `first` to bit `last`, both included: 32 ones need no `1 << 32`, which JavaScript lacks. */
function mask(first: number, last: number): number {
  return (-1 << first) & (-1 >>> (wordBits - 1 - last))
}

/** `[start, end)`, in items. */
export interface Run {
  readonly start: number
  readonly end: number
}

/**
 * A set of whole numbers below `size`, as bits on several levels: a bit of level n + 1 is set if any of the 32 bits that
 * it stands for on level n is. Costs `size` / 8 bytes and 1/31 more.
 *
 * Item numbers may pass 2^31, so words are found by division; bit operators only see positions inside one word.
 *
 * @see QEMU 7.2 include/qemu/hbitmap.h (the idea; it has 64-bit words)
 */
export class HBitmap {
  /** Level 0 holds the items; the last level is one word. */
  #levels: Uint32Array[]
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

  /** Whether `item` is set; false past the end. */
  get(item: number): boolean {
    const word = this.#levels[0]?.[Math.floor(item / wordBits)] ?? 0
    return item < this.#size && ((word >>> (item % wordBits)) & 1) === 1
  }

  /** Sets the items of `[start, end)`; what lies past the end of the bitmap is ignored. */
  set(start: number, end: number): void {
    this.#change(start, Math.min(end, this.#size), true)
  }

  /** Clears the items of `[start, end)`; what lies past the end of the bitmap is ignored. */
  reset(start: number, end: number): void {
    this.#change(start, Math.min(end, this.#size), false)
  }

  /** First set item in `[start, end)`, or `undefined`. */
  nextSet(start: number, end: number = this.#size): number | undefined {
    const found = this.#findSet(0, start)
    return found !== undefined && found < end ? found : undefined
  }

  /** First item in `[start, end)` that is not set, or `undefined`. */
  nextClear(start: number, end: number = this.#size): number | undefined {
    const [items = new Uint32Array()] = this.#levels
    const stop = Math.min(end, this.#size)
    for (let item = start; item < stop; ) {
      const index = Math.floor(item / wordBits)
      const clear = (~items[index]! & mask(item % wordBits, wordBits - 1)) >>> 0
      if (clear !== 0) {
        const found = index * wordBits + lowestBit(clear)
        return found < stop ? found : undefined
      }
      item = (index + 1) * wordBits
    }
    return undefined
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

  /** Changes the number of items; new ones are clear, those past a smaller end are forgotten. */
  resize(size: number): void {
    if (size < this.#size) this.reset(size, this.#size)
    const [old = new Uint32Array()] = this.#levels
    this.#size = size
    this.#levels = makeLevels(size)
    const [items = new Uint32Array()] = this.#levels
    items.set(old.length > items.length ? old.subarray(0, items.length) : old)
    for (let level = 1; level < this.#levels.length; level++)
      this.#summarise(level, 0, this.#levels[level - 1]!.length - 1)
  }

  #change(start: number, end: number, to: boolean): void {
    if (start >= end) return
    const [items = new Uint32Array()] = this.#levels
    const first = Math.floor(start / wordBits)
    const last = Math.floor((end - 1) / wordBits)
    let isSummaryStale = false
    for (let index = first; index <= last; index++) {
      const bits = mask(index === first ? start % wordBits : 0, index === last ? (end - 1) % wordBits : wordBits - 1)
      const before = items[index]!
      const after = (to ? before | bits : before & ~bits) >>> 0
      if (after === before) continue
      this.#count += bitCount(after) - bitCount(before)
      items[index] = after
      if (before === 0 || after === 0) isSummaryStale = true
    }
    if (isSummaryStale) this.#summariseAbove(first, last)
  }

  /** Brings all summaries of the words `[first, last]` of level 0 up to date. */
  #summariseAbove(first: number, last: number): void {
    let from = first
    let to = last
    for (let level = 1; level < this.#levels.length; level++) {
      this.#summarise(level, from, to)
      from = Math.floor(from / wordBits)
      to = Math.floor(to / wordBits)
    }
  }

  /** Sets the bits of `level` that stand for the words `[first, last]` of the level below. */
  #summarise(level: number, first: number, last: number): void {
    const below = this.#levels[level - 1]!
    const words = this.#levels[level]!
    for (let index = first; index <= last; index++) {
      const bit = 1 << (index % wordBits)
      const at = Math.floor(index / wordBits)
      words[at] = below[index] === 0 ? words[at]! & ~bit : words[at]! | bit
    }
  }

  /** First set bit of `level` at or after `start`: in its own word, or where the level above knows one. */
  #findSet(level: number, start: number): number | undefined {
    const words = this.#levels[level]!
    const index = Math.floor(start / wordBits)
    if (index >= words.length) return undefined
    const here = (words[index]! & mask(start % wordBits, wordBits - 1)) >>> 0
    if (here !== 0) return index * wordBits + lowestBit(here)
    if (level + 1 === this.#levels.length) return undefined
    const next = this.#findSet(level + 1, index + 1)
    return next === undefined ? undefined : next * wordBits + lowestBit(words[next]!)
  }
}

/** Levels for `size` items, all clear; at least one word, so that an empty bitmap needs no special case. */
function makeLevels(size: number): Uint32Array[] {
  const levels: Uint32Array[] = []
  let bits = size
  do {
    bits = Math.max(1, Math.ceil(bits / wordBits))
    levels.push(new Uint32Array(bits))
  } while (bits > 1)
  return levels
}

/** Position of the lowest one of a word that is not 0. */
function lowestBit(word: number): number {
  return wordBits - 1 - Math.clz32(word & -word)
}

/** Ones in a 32-bit word, added up in ever wider fields. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
