/** Proves that the host's clock wakes, can be called off, and does not take what it cannot count for nothing. */

import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'

test('a timer wakes, and time does not go back meanwhile', async () => {
  const start = systemClock.now()
  await new Promise<void>((resolve) => systemClock.setTimer(2.9, resolve))
  expect(systemClock.now()).toBeGreaterThanOrEqual(start)
})

test('a timer that was called off stays silent', async () => {
  let woken = false
  const stop = systemClock.setTimer(0, () => {
    woken = true
  })
  stop()
  await new Promise<void>((resolve) => systemClock.setTimer(3, resolve))
  expect(woken).toBe(false)
})

test('what is too long for the host does not wake at once', async () => {
  let woken = false
  const stop = systemClock.setTimer(1e15, () => {
    woken = true
  })
  await new Promise<void>((resolve) => systemClock.setTimer(3, resolve))
  stop()
  expect(woken).toBe(false)
})
