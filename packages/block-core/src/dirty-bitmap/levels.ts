/** The words of a hierarchical bitmap: bits, and summaries of bits, so that a search skips clean gigabytes. */

/** Bits per word: JavaScript's bit operators are 32 bits wide. */
export const wordBits = 32

/** Bits of one level that one bit of the next level stands for: a pair of words, so that summaries cost 1/63. */
export const fanOut = 64

const wordsPerPair: number = fanOut / wordBits

/**
 * Level 0 holds the items; a bit of level n + 1 is set if any bit of its pair of words on level n is. The last level is
 * one pair. The system gives fresh arrays out as pages that take memory when they are first written.
 */
export type Levels = readonly Uint32Array[]

/** Levels for `size` items, all clear; at least one pair, so that an empty bitmap needs no special case. */
export function makeLevels(size: number): Levels {
  const levels: Uint32Array[] = []
  let bits = size
  do {
    const pairs = Math.max(1, Math.ceil(bits / fanOut))
    levels.push(new Uint32Array(pairs * wordsPerPair))
    bits = pairs
  } while (bits > 1)
  return levels
}

/** Memory of all levels in bytes. */
export function levelBytes(levels: Levels): number {
  return levels.reduce((sum, words) => sum + words.byteLength, 0)
}

/** First set bit of `level` at or after `start`, or `undefined`; a few words of each level are looked at. */
export function findSet(levels: Levels, start: number, level = 0): number | undefined {
  const words = levels[level]!
  const index = Math.floor(start / wordBits)
  if (index >= words.length) return undefined
  const here = words[index]! & (-1 << (start - index * wordBits))
  if (here !== 0) return index * wordBits + lowestBit(here)
  if (index % wordsPerPair === 0 && words[index + 1]! !== 0) return firstIn(words, index + 1)
  if (level + 1 === levels.length) return undefined
  const pair = findSet(levels, Math.floor(index / wordsPerPair) + 1, level + 1)
  if (pair === undefined) return undefined
  const left = pair * wordsPerPair
  return firstIn(words, words[left] === 0 ? left + 1 : left)
}

/** First clear bit of level 0 in `[start, end)`, or `undefined`. */
export function findClear(levels: Levels, start: number, end: number): number | undefined {
  const words = levels[0]!
  let index = Math.floor(start / wordBits)
  let clear = ~words[index]! & (-1 << (start - index * wordBits))
  const past = Math.ceil(end / wordBits)
  while (clear === 0 && ++index < past) clear = ~words[index]!
  const found = index * wordBits + lowestBit(clear)
  return clear !== 0 && found < end ? found : undefined
}

/** Sets the bits `[start, end)` of level 0 and their summaries. @returns how many were clear */
export function setBits(levels: Levels, start: number, end: number): number {
  const words = levels[0]!
  const first = Math.floor(start / wordBits)
  const last = Math.floor((end - 1) / wordBits)
  let added = 0
  for (let index = first; index <= last; index++) {
    const before = words[index]!
    const after = before | maskOf(index, start, end)
    added += bitCount(after) - bitCount(before)
    words[index] = after
  }
  if (added > 0) raise(levels, first, last)
  return added
}

/** Clears the bits `[start, end)` of level 0, and summaries that are none any more. @returns how many were set */
export function resetBits(levels: Levels, start: number, end: number): number {
  const words = levels[0]!
  let removed = 0
  for (let item = findSet(levels, start); item !== undefined && item < end; ) {
    const index = Math.floor(item / wordBits)
    const before = words[index]!
    const after = before & ~maskOf(index, start, end)
    removed += bitCount(before) - bitCount(after)
    words[index] = after
    const next = (index + 1) * wordBits
    item = next < end && index + 1 < words.length && words[index + 1] !== 0 ? next : findSet(levels, next)
  }
  if (removed > 0) lower(levels, Math.floor(start / wordBits), Math.floor((end - 1) / wordBits))
  return removed
}

/** Puts `value` in place of a word of level 0. @returns by how much the number of set bits grew */
export function storeWord(levels: Levels, index: number, value: number): number {
  const words = levels[0]!
  const before = words[index]!
  if (before >>> 0 === value >>> 0) return 0
  words[index] = value
  if (value !== 0) raise(levels, index, index)
  else lower(levels, index, index)
  return bitCount(value) - bitCount(before)
}

/** Adds the bits of `from`, which has as many items. @returns how many were clear */
export function mergeLevels(into: Levels, from: Levels): number {
  const source = from[0]!
  let added = 0
  for (let item = findSet(from, 0); item !== undefined; ) {
    const index = Math.floor(item / wordBits)
    added += storeWord(into, index, into[0]![index]! | source[index]!)
    item = findSet(from, (index + 1) * wordBits)
  }
  return added
}

/** A copy for another number of items, none of which past the smaller one may be set; new items are clear. */
export function resizeLevels(levels: Levels, size: number): Levels {
  const resized = makeLevels(size)
  for (const [level, words] of resized.entries()) {
    const old = levels[level]
    if (old !== undefined) words.set(old.length > words.length ? old.subarray(0, words.length) : old)
    // A level that the smaller bitmap did not need sums up what was its only pair.
    else if (resized[level - 1]![0] !== 0 || resized[level - 1]![1] !== 0) words[0] = 1
  }
  return resized
}

/** Sets the summaries of the words `[first, last]` of level 0, none of whose pairs is empty. */
function raise(levels: Levels, first: number, last: number): void {
  let from = Math.floor(first / wordsPerPair)
  let to = Math.floor(last / wordsPerPair)
  for (let level = 1; level < levels.length; level++) {
    const words = levels[level]!
    const left = Math.floor(from / wordBits)
    const right = Math.floor(to / wordBits)
    if (from === to) {
      const bit = 1 << (from - left * wordBits)
      // What is known here is known above.
      if ((words[left]! & bit) !== 0) return
      words[left] = words[left]! | bit
    } else {
      for (let index = left; index <= right; index++) words[index] = words[index]! | maskOf(index, from, to + 1)
    }
    from = Math.floor(left / wordsPerPair)
    to = Math.floor(right / wordsPerPair)
  }
}

/** Clears the summaries of the words `[first, last]` of level 0; only those at either end may still have bits. */
function lower(levels: Levels, first: number, last: number): void {
  let from = Math.floor(first / wordsPerPair)
  let to = Math.floor(last / wordsPerPair)
  for (let level = 1; level < levels.length; level++) {
    const below = levels[level - 1]!
    if (hasBits(below, from)) from++
    if (to >= from && hasBits(below, to)) to--
    if (from > to) return
    const words = levels[level]!
    const left = Math.floor(from / wordBits)
    const right = Math.floor(to / wordBits)
    for (let index = left; index <= right; index++) words[index] = words[index]! & ~maskOf(index, from, to + 1)
    from = Math.floor(left / wordsPerPair)
    to = Math.floor(right / wordsPerPair)
  }
}

function hasBits(words: Uint32Array, pair: number): boolean {
  return words[pair * wordsPerPair] !== 0 || words[pair * wordsPerPair + 1] !== 0
}

/** Ones where word `index` lies inside the bits `[start, end)`. */
function maskOf(index: number, start: number, end: number): number {
  const first = start - index * wordBits
  const rest = (index + 1) * wordBits - end
  // A shift by 32 would do nothing: the words that begin or end outside are the only ones that are cut.
  return (first > 0 ? -1 << first : -1) & (rest > 0 ? -1 >>> rest : -1)
}

/** Number of the lowest bit of a word that is not 0. */
function firstIn(words: Uint32Array, index: number): number {
  return index * wordBits + lowestBit(words[index]!)
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
