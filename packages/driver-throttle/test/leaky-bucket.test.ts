/** Proves how long requests wait at one limit: with slack, with bursts, with long bursts. */

import { expect, test } from 'vitest'
import { LeakyBucket } from '../src/leaky-bucket.ts'

test('without a limit nobody waits', () => {
  const bucket = new LeakyBucket({ average: 0, burst: 0, burstSeconds: 1 })
  bucket.fill(1e15)
  expect(bucket.delay).toBe(0)
})

test('a tenth of a second may come at once, and what comes too much is waited for', () => {
  const bucket = new LeakyBucket({ average: 100, burst: 0, burstSeconds: 1 })
  bucket.fill(10)
  expect(bucket.delay).toBe(0)
  bucket.fill(5)
  expect(bucket.delay).toBe(0.05)
  bucket.leak(0.05)
  expect(bucket.delay).toBe(0)
  bucket.leak(1000)
  bucket.fill(10)
  expect(bucket.delay, 'an empty bucket saves nothing up').toBe(0)
  bucket.fill(1)
  expect(bucket.delay).toBe(0.01)
})

test('a burst is a bucket of its own size', () => {
  const bucket = new LeakyBucket({ average: 100, burst: 500, burstSeconds: 1 })
  bucket.fill(500)
  expect(bucket.delay).toBe(0)
  bucket.fill(100)
  expect(bucket.delay).toBe(1)
})

test('a long burst keeps to the burst rate', () => {
  const bucket = new LeakyBucket({ average: 100, burst: 500, burstSeconds: 3 })
  bucket.fill(50)
  expect(bucket.delay).toBe(0)
  bucket.fill(50)
  expect(bucket.delay).toBe(0.1)
  bucket.leak(0.1)
  expect(bucket.delay).toBe(0)
  // 1500 fit, however they come; the average decides from then on.
  for (let i = 0; i < 14; i++) {
    bucket.leak(0.2)
    bucket.fill(100)
  }
  expect(bucket.delay).toBeCloseTo(0.1)
  const full = new LeakyBucket({ average: 100, burst: 500, burstSeconds: 3 })
  full.fill(1600)
  expect(full.delay).toBe(1)
})
