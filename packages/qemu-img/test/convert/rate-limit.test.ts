// Proves that the first request passes at once and later ones are held back as long as the bytes before them cost.

import { expect, test } from 'vitest'
import { RateLimit, realClock } from '../../src/convert/rate-limit.ts'

/** A clock that stands still but for pauses, and the pauses, in milliseconds. */
function stoppedClock() {
  const pauses: number[] = []
  let time = 5000
  const clock = {
    now: () => time,
    pause: async (milliseconds: number) => {
      pauses.push(milliseconds)
      time += milliseconds
    },
  }
  const pass = (milliseconds: number): void => {
    time += milliseconds
  }
  return { clock, pauses, pass }
}

test('requests are paid for by those that follow', async () => {
  const { clock, pauses, pass } = stoppedClock()
  const limit = new RateLimit(1_000_000, clock)
  await limit.pass(100_000)
  expect(pauses).toEqual([])
  await limit.pass(50_000)
  expect(pauses).toEqual([100])
  pass(20)
  await limit.pass(1)
  expect(pauses).toEqual([100, 30])
  // Time that nobody used is not saved up.
  pass(10_000)
  await limit.pass(1_000_000)
  await limit.pass(1)
  expect(pauses).toEqual([100, 30, 1000])
})

test('no limit, no waiting', async () => {
  const { clock, pauses } = stoppedClock()
  const limit = new RateLimit(0, clock)
  await limit.pass(2 ** 40)
  await limit.pass(2 ** 40)
  expect(pauses).toEqual([])
})

test('the real clock goes on, and waits at least as long as it is told, however long that is', async () => {
  const start = realClock.now()
  await realClock.pause(20, undefined)
  // Timers count whole milliseconds.
  expect(realClock.now() - start).toBeGreaterThan(18)
  const stop = new AbortController()
  let ended = false
  const years = realClock.pause(2 ** 40, stop.signal).finally(() => {
    ended = true
  })
  await realClock.pause(5, undefined)
  expect(ended).toBe(false)
  stop.abort(new Error('enough'))
  await expect(years).rejects.toThrow('enough')
})

test('who waits can be told to stop', async () => {
  const limit = new RateLimit(1)
  await limit.pass(1000)
  const stop = new AbortController()
  const waiting = limit.pass(1, stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(limit.pass(1, stop.signal)).rejects.toThrow('enough')
  const unstopped = new RateLimit(1_000_000)
  await unstopped.pass(1000)
  await unstopped.pass(1, new AbortController().signal)
})
