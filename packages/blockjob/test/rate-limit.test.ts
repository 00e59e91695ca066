/** Proves the token bucket: quota per slice, slices that grow with what was dispatched, and the average that results. */
import { expect, test } from 'vitest'
import { RateLimit } from '../src/rate-limit.ts'
import { ManualClock } from './helpers/manual-clock.ts'

function limit(speed: number): { clock: ManualClock; rate: RateLimit } {
  const clock = new ManualClock()
  const rate = new RateLimit(clock)
  rate.setSpeed(speed)
  return { clock, rate }
}

test('without a speed nothing is delayed', () => {
  const { rate } = limit(0)
  expect(rate.delayAfter(2 ** 40)).toBe(0)
})

test('below the quota of its slice nothing is delayed', () => {
  const { rate } = limit(1000)
  expect(rate.delayAfter(50)).toBe(0)
  expect(rate.delayAfter(49)).toBe(0)
  // The hundredth byte fills the slice: wait for its end.
  expect(rate.delayAfter(1)).toBe(100)
})

test('a slice grows with what was dispatched in it', () => {
  const { rate } = limit(1000)
  expect(rate.delayAfter(250)).toBe(250)
  expect(rate.delayAfter(50)).toBe(300)
})

// spec/jobs.md, section 8: the quota of a slice is max(speed / 10, 1) bytes.
test('the least quota is one byte a slice', () => {
  const { rate } = limit(1)
  expect(rate.delayAfter(524288)).toBe(524288 * 100)
})

test('a slice that is over is forgotten', async () => {
  const { clock, rate } = limit(1000)
  expect(rate.delayAfter(99)).toBe(0)
  await clock.advance(101)
  expect(rate.delayAfter(99)).toBe(0)
})

test('32 MiB at 8 MiB/s take four seconds', async () => {
  const { clock, rate } = limit(8 * 2 ** 20)
  for (let done = 0; done < 32; done++) await clock.advance(rate.delayAfter(2 ** 20))
  expect(clock.now()).toBeCloseTo(4000, 6)
})
