/** The bitmap behaves as a set of numbers, and its summaries never hide an item or invent one. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HBitmap } from '../../src/dirty-bitmap/hbitmap.ts'
import { propertySettings } from '../util/property.ts'

type Operation = { kind: 'set' | 'reset'; start: number; end: number } | { kind: 'resize'; size: number }

// Three levels are reached at 32 * 32 items.
const sizeMax = 3000

const position = fc.oneof(
  fc.nat({ max: sizeMax + 10 }),
  fc.nat({ max: 90 }).map((word) => word * 32),
)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('set', 'reset'), start: position, end: position }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize'), size: fc.nat({ max: sizeMax }) }) },
)

/** The same operations on a plain set. */
class Model {
  items = new Set<number>()
  size: number

  constructor(size: number) {
    this.size = size
  }

  apply(step: Operation): void {
    if (step.kind === 'resize') {
      this.size = step.size
      this.items = new Set([...this.items].filter((item) => item < step.size))
      return
    }
    for (let item = step.start; item < Math.min(step.end, this.size); item++) {
      if (step.kind === 'set') this.items.add(item)
      else this.items.delete(item)
    }
  }

  next(start: number, end: number, wanted: boolean): number | undefined {
    for (let item = start; item < Math.min(end, this.size); item++) if (this.items.has(item) === wanted) return item
    return undefined
  }
}

function apply(bitmap: HBitmap, step: Operation): void {
  if (step.kind === 'resize') bitmap.resize(step.size)
  else bitmap[step.kind](step.start, step.end)
}

test('agrees with a set', () => {
  const steps = fc.array(operation, { maxLength: 20 })
  fc.assert(
    fc.property(fc.nat({ max: sizeMax }), steps, fc.array(fc.tuple(position, position)), (size, list, questions) => {
      const bitmap = new HBitmap(size)
      const model = new Model(size)
      for (const step of list) {
        apply(bitmap, step)
        model.apply(step)
      }
      expect(bitmap.size).toBe(model.size)
      expect(bitmap.count).toBe(model.items.size)
      expect(
        [...bitmap.runs()].flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
      ).toEqual([...model.items].sort((a, b) => a - b))
      for (const [start, end] of questions) {
        expect(bitmap.get(start)).toBe(model.items.has(start))
        expect(bitmap.nextSet(start, end)).toBe(model.next(start, end, true))
        expect(bitmap.nextClear(start, end)).toBe(model.next(start, end, false))
      }
    }),
    propertySettings(500),
  )
})

describe('edges', () => {
  test('an empty bitmap', () => {
    const bitmap = new HBitmap(0)
    bitmap.set(0, 10)
    expect([bitmap.count, bitmap.get(0), bitmap.nextSet(0), bitmap.nextClear(0)]).toEqual([
      0,
      false,
      undefined,
      undefined,
    ])
    expect([...bitmap.runs()]).toEqual([])
  })

  test('runs are as long as they can be, and cut at the bounds asked for', () => {
    const bitmap = new HBitmap(200)
    bitmap.set(10, 100)
    bitmap.set(100, 130)
    bitmap.set(150, 151)
    expect([...bitmap.runs()]).toEqual([
      { start: 10, end: 130 },
      { start: 150, end: 151 },
    ])
    expect([...bitmap.runs(20, 151)]).toEqual([
      { start: 20, end: 130 },
      { start: 150, end: 151 },
    ])
    expect([...bitmap.runs(130, 150)]).toEqual([])
  })

  test('forgets what a smaller size cut off', () => {
    const bitmap = new HBitmap(100)
    bitmap.set(0, 100)
    bitmap.resize(50)
    bitmap.resize(100)
    expect([...bitmap.runs()]).toEqual([{ start: 0, end: 50 }])
  })

  test('item numbers past 2^31', () => {
    const bitmap = new HBitmap(2 ** 32 + 100)
    bitmap.set(2 ** 31 - 1, 2 ** 31 + 1)
    bitmap.set(2 ** 32 + 99, 2 ** 32 + 100)
    expect([...bitmap.runs()]).toEqual([
      { start: 2 ** 31 - 1, end: 2 ** 31 + 1 },
      { start: 2 ** 32 + 99, end: 2 ** 32 + 100 },
    ])
    expect(bitmap.count).toBe(3)
  })
})
