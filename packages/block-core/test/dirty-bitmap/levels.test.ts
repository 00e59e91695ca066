/** Summaries are neither stale nor larger than the reference's, and a search looks at few words. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fanOut,
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
} from '../../src/dirty-bitmap/levels.ts'
import { propertySettings } from '../util/property.ts'

const TiB = 2 ** 40
/** Items of a disk of 100 TiB at a granularity of 64 KiB. */
const hugeSize: number = (100 * TiB) / 65536

/** The same levels, and how many words were looked at. */
function counted(levels: Levels): { levels: Levels; looks: () => number } {
  let looks = 0
  const watch: ProxyHandler<Uint32Array> = {
    get(words, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++
      return Reflect.get(words, key, words)
    },
  }
  return { levels: levels.map((words) => new Proxy(words, watch)), looks: () => looks }
}

/** What every summary bit must be. */
function expectSummaries(levels: Levels): void {
  for (const [level, words] of levels.entries()) {
    if (level === 0) continue
    const below = levels[level - 1]!
    for (let bit = 0; bit < words.length * wordBits; bit++) {
      const pair = (below[2 * bit] ?? 0) !== 0 || (below[2 * bit + 1] ?? 0) !== 0
      const isSet = ((words[Math.floor(bit / wordBits)]! >>> (bit % wordBits)) & 1) === 1
      if (isSet !== pair) throw new Error(`bit ${bit} of level ${level} is ${isSet}, its pair says ${pair}`)
    }
  }
}

// The reference has seven levels of 64-bit words, each level a 64th of the one below it.
test('100 TiB at 64 KiB cost no more than in the reference', () => {
  let reference = 0
  let bits = hugeSize
  for (let level = 0; level < 7; level++) {
    bits = Math.max(1, Math.ceil(bits / 64))
    reference += bits * 8
  }
  const bytes = levelBytes(makeLevels(hugeSize))
  expect(bytes).toBe(213_044_024)
  expect(bytes).toBeLessThanOrEqual(reference)
})

test('a search over 100 TiB skips clean gigabytes: a few words, wherever the next bit is', () => {
  const real = makeLevels(hugeSize)
  for (const item of [0, 65, hugeSize / 2, hugeSize - 1]) setBits(real, item, item + 1)
  const { levels, looks } = counted(real)
  const found: (number | undefined)[] = []
  for (let item = findSet(levels, 0); item !== undefined; item = findSet(levels, item + 1)) found.push(item)
  expect(found).toEqual([0, 65, hugeSize / 2, hugeSize - 1])
  // Four searches that find and one that does not, each at most four words up and two down on six levels.
  expect(real.length).toBe(6)
  expect(looks()).toBeLessThanOrEqual(5 * 6 * real.length)
})

test('resetting a clean disk looks at a few words', () => {
  const real = makeLevels(hugeSize)
  setBits(real, 10, 20)
  const { levels, looks } = counted(real)
  expect(resetBits(levels, 100, hugeSize)).toBe(0)
  expect(looks()).toBeLessThanOrEqual(4 * real.length)
})

const sizeMax = 10_000
const range = fc
  .tuple(fc.nat({ max: sizeMax - 1 }), fc.oneof(fc.nat({ max: 70 }), fc.nat({ max: sizeMax })))
  .map(([start, length]) => ({ start, end: Math.min(sizeMax, start + length + 1) }))
const change = fc.record({ kind: fc.constantFrom('set', 'reset', 'word'), range })

function apply(
  levels: Levels,
  { kind, range: { start, end } }: { kind: string; range: { start: number; end: number } },
) {
  if (kind === 'set') return setBits(levels, start, end)
  if (kind === 'reset') return -resetBits(levels, start, end)
  return storeWord(levels, Math.floor(start / wordBits), end % 3 === 0 ? 0 : end)
}

test('counts and summaries are right after every change', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const levels = makeLevels(sizeMax)
      let count = 0
      for (const each of changes) {
        count += apply(levels, each)
        expectSummaries(levels)
      }
      let bits = 0
      for (let item = findSet(levels, 0); item !== undefined; item = findSet(levels, item + 1)) bits++
      expect(count).toBe(bits)
    }),
    propertySettings(300),
  )
})

test('merging adds up', () => {
  const changes = fc.array(change, { maxLength: 6 })
  fc.assert(
    fc.property(changes, changes, (left, right) => {
      const [into, from] = [makeLevels(sizeMax), makeLevels(sizeMax)]
      for (const each of left) apply(into, each)
      for (const each of right) apply(from, each)
      const union = into[0]!.map((word, i) => word | from[0]![i]!)
      mergeLevels(into, from)
      expect(into[0]).toEqual(union)
      expectSummaries(into)
    }),
    propertySettings(200),
  )
})

describe('resizing', () => {
  test.each([0, 1, fanOut, fanOut + 1, fanOut ** 2, fanOut ** 2 + 1, sizeMax])('to %d items and back', (size) => {
    const levels = makeLevels(70)
    setBits(levels, 0, Math.min(70, size))
    const resized = resizeLevels(levels, size)
    expectSummaries(resized)
    expect(levelBytes(resized)).toBe(levelBytes(makeLevels(size)))
    const back = resizeLevels(resized, 70)
    expect(back).toEqual(levels)
    expectSummaries(back)
  })
})

test('the first clear bit is looked for up to the end asked for', () => {
  const levels = makeLevels(200)
  setBits(levels, 3, 150)
  expect([0, 3, 40, 149].map((start) => findClear(levels, start, 200))).toEqual([0, 150, 150, 150])
  expect(findClear(levels, 3, 150)).toBeUndefined()
  expect(findClear(levels, 3, 151)).toBe(150)
})
