/** Proves that a wait longer than a timer can count is made of several, and that a turn of the event loop is one. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nextTurn, wait } from '../src/wait.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a wait ends when it should, also after 50 days', async () => {
  let ended = false
  const long = 2 ** 32 + 5
  const waiting = wait(long).then(() => {
    ended = true
  })
  await vi.advanceTimersByTimeAsync(long - 1)
  expect(ended).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(ended).toBe(true)
  await waiting
})

test('the next turn comes after what is due now', async () => {
  vi.useRealTimers()
  const order: string[] = []
  const turn = nextTurn().then(() => order.push('turn'))
  await Promise.resolve().then(() => order.push('now'))
  await turn
  expect(order).toEqual(['now', 'turn'])
})

test('a host without immediates has timers', async () => {
  vi.stubGlobal('setImmediate', undefined)
  try {
    const turn = nextTurn()
    await vi.advanceTimersByTimeAsync(0)
    await turn
  } finally {
    vi.unstubAllGlobals()
  }
})
