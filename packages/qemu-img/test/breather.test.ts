// Proves that bulk work over synchronous drivers lets timers run, and stops where it is told to.

import { expect, test, vi } from 'vitest'
import { Breather } from '../src/breather.ts'

let now = 0
const clock = (): number => now

/** Takes time, as a synchronous read would. */
function work(milliseconds: number): void {
  now += milliseconds
}

test('a breath after long work lets others run', async () => {
  const breather = new Breather(clock)
  let turned = false
  setImmediate(() => {
    turned = true
  })
  await breather.breathe()
  expect(turned).toBe(false)
  work(60)
  await breather.breathe()
  expect(turned).toBe(true)
})

test('work that is to stop does not go on', async () => {
  const reason = new Error('enough')
  await expect(new Breather().breathe(AbortSignal.abort(reason))).rejects.toBe(reason)
})

test('in a hidden tab of a browser, where timers hardly ever run, a breath ends all the same', async () => {
  const breather = new Breather(clock)
  const { port1, port2 } = new MessageChannel()
  let turned = false
  port1.onmessage = () => {
    turned = true
  }
  port2.postMessage('seen by whoever lets the event loop turn')
  work(60)
  vi.stubGlobal('setImmediate', undefined)
  vi.stubGlobal('setTimeout', () => 0)
  try {
    await breather.breathe()
  } finally {
    vi.unstubAllGlobals()
    port1.close()
  }
  expect(turned).toBe(true)
})
