// Serialising requests wait for what overlaps them, and nobody waits in a circle.
import { expect, test } from 'vitest'
import { TrackedRequests } from '../../src/node/tracked-requests.ts'

async function settledSoon(promise: Promise<void> | undefined): Promise<boolean> {
  let done = promise === undefined
  void promise?.then(() => {
    done = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

test('without serialising requests nobody waits', () => {
  const tracked = new TrackedRequests()
  tracked.begin(0, 100)
  expect(tracked.wait(tracked.begin(50, 100))).toBeUndefined()
  expect(tracked.size).toBe(2)
})

test('a serialising request waits for the overlapping one, others do not', async () => {
  const tracked = new TrackedRequests()
  const first = tracked.begin(0, 100)
  const second = tracked.begin(90, 20)
  tracked.makeSerialising(second, 512)
  expect([second.start, second.end]).toEqual([0, 512])
  const waiting = tracked.wait(second)
  expect(await settledSoon(waiting)).toBe(false)
  expect(await settledSoon(tracked.wait(tracked.begin(1024, 100)))).toBe(true)
  tracked.end(first)
  expect(await settledSoon(waiting)).toBe(true)
})

test('two serialising requests that overlap do not wait for each other for ever', async () => {
  const tracked = new TrackedRequests()
  const a = tracked.begin(0, 10)
  const b = tracked.begin(5, 10)
  tracked.makeSerialising(a, 512)
  tracked.makeSerialising(b, 512)
  const waitA = tracked.wait(a)
  expect(await settledSoon(tracked.wait(b))).toBe(true)
  tracked.end(b)
  expect(await settledSoon(waitA)).toBe(true)
})

test('idle resolves when the last request has ended', async () => {
  const tracked = new TrackedRequests()
  const request = tracked.begin(0, 1)
  const idle = tracked.idle()
  expect(await settledSoon(idle)).toBe(false)
  tracked.end(request)
  expect(await settledSoon(idle)).toBe(true)
})

test('waiters go on in the order in which they came, and newcomers queue behind them', async () => {
  const tracked = new TrackedRequests()
  const order: string[] = []
  const enter = (name: string, offset: number, bytes: number, serialising: boolean) => {
    const request = tracked.begin(offset, bytes)
    if (serialising) tracked.makeSerialising(request, 1)
    const entered = (tracked.wait(request) ?? Promise.resolve()).then(() => void order.push(name))
    return { end: () => tracked.end(request), entered }
  }
  const first = enter('first', 0, 100, true)
  const waiting = ['a', 'b', 'c'].map((name) => enter(name, 50, 100, true))
  // Does not touch what runs now, only what waits: it must not pass.
  const newcomer = enter('newcomer', 120, 10, false)
  await settledSoon(undefined)
  expect(order).toEqual(['first'])
  first.end()
  for (const each of waiting) {
    await each.entered
    await settledSoon(undefined)
    each.end()
  }
  await newcomer.entered
  expect(order).toEqual(['first', 'a', 'b', 'c', 'newcomer'])
})
