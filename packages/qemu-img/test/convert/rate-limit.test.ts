// Proves that the first request passes at once and later ones are held back as long as the bytes before them cost.

import { expect, test } from 'vitest'
import { RateLimit } from '../../src/convert/rate-limit.ts'

async function elapsed(run: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

test('requests are paid for by those that follow', async () => {
  const limit = new RateLimit(1_000_000)
  expect(await elapsed(() => limit.pass(100_000))).toBeLessThan(50)
  expect(await elapsed(() => limit.pass(1))).toBeGreaterThan(80)
})

test('no limit, no waiting', async () => {
  const limit = new RateLimit(0)
  expect(await elapsed(() => limit.pass(2 ** 40))).toBeLessThan(50)
  expect(await elapsed(() => limit.pass(2 ** 40))).toBeLessThan(50)
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
