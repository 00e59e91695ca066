// Serialising requests wait for what overlaps them, and nobody waits in a circle.
import { expect, test } from 'vitest'
import { TrackedRequests } from '../../src/node/tracked-requests.ts'
import { random } from '../../src/testing/seed.ts'

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

// All wait for the one before them: nobody is woken to find that it is not his turn.
test('thousands that want the same block queue up, and each is woken once', async () => {
  const tracked = new TrackedRequests()
  const order: number[] = []
  const run = async (i: number): Promise<void> => {
    const request = tracked.begin(i % 512, 1)
    tracked.makeSerialising(request, 512)
    const wait = tracked.wait(request)
    if (wait !== undefined) await wait
    order.push(i)
    await Promise.resolve()
    expect(request.waiters?.length ?? 0).toBeLessThanOrEqual(1)
    tracked.end(request)
  }
  await Promise.all(Array.from({ length: 4000 }, (_, i) => run(i)))
  expect(order).toEqual(Array.from({ length: 4000 }, (_, i) => i))
  expect(tracked.size).toBe(0)
})

test('an ordinary request waits only for those that serialise, the latest of them first', async () => {
  const tracked = new TrackedRequests()
  const plain = tracked.begin(0, 4096)
  const first = tracked.begin(8192, 512)
  tracked.makeSerialising(first, 512)
  const second = tracked.begin(8192, 512)
  tracked.makeSerialising(second, 512)
  const secondWaits = tracked.wait(second)
  const reader = tracked.begin(0, 16384)
  const waiting = tracked.wait(reader)
  tracked.end(first)
  expect(await settledSoon(secondWaits)).toBe(true)
  expect(await settledSoon(waiting)).toBe(false)
  tracked.end(second)
  expect(await settledSoon(waiting)).toBe(true)
  tracked.end(plain)
  tracked.end(reader)
})

test('random requests, seed 61: two that conflict never run together, and all end', async () => {
  const choose = random(61)
  const tracked = new TrackedRequests()
  const running = new Set<{ start: number; end: number; serialising: boolean }>()
  const run = async (): Promise<void> => {
    const request = tracked.begin(choose.below(20000), 1 + choose.below(5000))
    if (choose.below(3) === 0) tracked.makeSerialising(request, choose.pick([1, 512, 4096]))
    const wait = tracked.wait(request)
    if (wait !== undefined) await wait
    for (const other of running) {
      const overlap = other.start < request.end && request.start < other.end
      expect(overlap && (other.serialising || request.serialising)).toBe(false)
    }
    running.add(request)
    for (let turn = choose.below(4); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
    running.delete(request)
    tracked.end(request)
  }
  await Promise.all(Array.from({ length: 500 }, run))
  expect(tracked.size).toBe(0)
})
