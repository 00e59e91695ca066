// A seed brings the same numbers back, and different seeds bring different ones.
import { expect, test } from 'vitest'
import { random } from '../../src/testing/seed.ts'

const numbers = (seed: number) => {
  const choose = random(seed)
  return Array.from({ length: 50 }, () => choose.below(1000))
}

test('the same seed, the same sequence, on every machine', () => {
  expect(numbers(1)).toEqual(numbers(1))
  expect(numbers(1)).not.toEqual(numbers(2))
  expect(numbers(1).slice(0, 5)).toEqual([627, 2, 527, 981, 968])
})

test('numbers stay below their limit and reach all of it', () => {
  const choose = random(7)
  const seen = new Set(Array.from({ length: 1000 }, () => choose.below(10)))
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(choose.seed).toBe(7)
})

test('choices and chances', () => {
  const choose = random(9)
  const picks = Array.from({ length: 100 }, () => choose.pick(['a', 'b']))
  expect(new Set(picks)).toEqual(new Set(['a', 'b']))
  const heads = Array.from({ length: 1000 }, () => choose.chance(0.25)).filter(Boolean).length
  expect(heads).toBeGreaterThan(200)
  expect(heads).toBeLessThan(300)
  expect([choose.chance(0), choose.chance(1)]).toEqual([false, true])
})
