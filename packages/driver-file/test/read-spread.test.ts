// Who reads one after the other is served at once; who has several requests in flight has both threads copy.
import { expect, test } from 'vitest'
import { ReadSpread } from '../src/read-spread.ts'

const middle = 64 * 1024

test('short reads never go to the pool', () => {
  const spread = new ReadSpread(4)
  for (let inFlight = 0; inFlight < 10; inFlight++) expect(spread.goesToPool(16 * 1024, inFlight)).toBe(false)
})

test('one after the other: ever fewer go there, at last one in 65', () => {
  const spread = new ReadSpread(4)
  const pooled: number[] = []
  for (let number = 0; number < 400; number++) if (spread.goesToPool(middle, 0)) pooled.push(number)
  const gaps = pooled.slice(1).map((number, index) => number - pooled[index]!)
  expect(pooled[0]).toBe(0)
  expect(gaps).toEqual([2, 4, 8, 16, 32, 64, 65, 65, 65, 65])
})

test('where others are on their way, up to eight go there, and the rest is done here', () => {
  const spread = new ReadSpread(4)
  const asked = Array.from({ length: 12 }, (_, inFlight) => spread.goesToPool(middle, inFlight))
  expect(asked).toEqual([...new Array(8).fill(true), ...new Array(4).fill(false)])
})

test('company makes it try again soon', () => {
  const spread = new ReadSpread(4)
  for (let number = 0; number < 200; number++) spread.goesToPool(middle, 0)
  expect(spread.goesToPool(middle, 3)).toBe(true)
  expect(spread.goesToPool(middle, 0)).toBe(true)
  expect([spread.goesToPool(middle, 0), spread.goesToPool(middle, 0)]).toEqual([false, true])
})

test('with two processors everything is done here', () => {
  const spread = new ReadSpread(2)
  for (let inFlight = 0; inFlight < 10; inFlight++) expect(spread.goesToPool(middle, inFlight)).toBe(false)
})
