/** Proves that the real clock counts in milliseconds and that a callback can be taken back. */
import { expect, test } from 'vitest'
import { systemClock } from '../src/index.ts'

test('a callback comes after its time', async () => {
  const start = systemClock.now()
  await new Promise<void>((resolve) => systemClock.after(20, resolve))
  expect(systemClock.now() - start).toBeGreaterThanOrEqual(19)
})

test('a callback that is taken back never comes', async () => {
  let came = false
  systemClock.after(1, () => {
    came = true
  })()
  await new Promise<void>((resolve) => systemClock.after(10, resolve))
  expect(came).toBe(false)
})

// setTimeout would fire at once for a delay that does not fit into 31 bits.
test('a very long delay does not end at once', async () => {
  let came = false
  const stop = systemClock.after(2 ** 40, () => {
    came = true
  })
  await new Promise<void>((resolve) => systemClock.after(10, resolve))
  stop()
  expect(came).toBe(false)
})
