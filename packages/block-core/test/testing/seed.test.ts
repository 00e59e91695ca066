// A seed brings the same numbers back, and different seeds bring different ones.
import { afterEach, expect, test, vi } from 'vitest'
import { random, randomPace, seeds } from '../../src/testing/seed.ts'

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

test('the environment names the seed; otherwise the given ones are used', () => {
  vi.stubEnv('BLOCKLAYER_SEED', undefined)
  expect(seeds(1, 2)).toEqual([1, 2])
  vi.stubEnv('BLOCKLAYER_SEED', '4294967295')
  expect(seeds(1, 2)).toEqual([4294967295])
  for (const wrong of ['x', '-1', '1.5', '4294967296']) {
    vi.stubEnv('BLOCKLAYER_SEED', wrong)
    expect(() => seeds(1)).toThrow(`BLOCKLAYER_SEED is '${wrong}', not a number from 0 to 4294967295`)
  }
})

afterEach(() => void vi.unstubAllEnvs())

test('a random pace lets requests overtake each other, in the same way for the same seed', async () => {
  const order = async (seed: number): Promise<number[]> => {
    const pace = randomPace(seed)
    const done: number[] = []
    await Promise.all(Array.from({ length: 20 }, (_, i) => pace().then(() => void done.push(i))))
    return done
  }
  expect(await order(1)).toEqual(await order(1))
  expect(await order(1)).not.toEqual(await order(2))
  expect([...(await order(1))].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
})
