/** Proves the book-keeping of requests under way: count, bytes, overlaps, waiting, and buffers that are used again. */
import { expect, test } from 'vitest'
import { InFlight, inFlightMax } from '../../src/mirror/in-flight.ts'
import { settle } from '../helpers/manual-clock.ts'

test('counts ranges and their bytes', () => {
  const ops = new InFlight(16)
  const first = ops.begin(0, 10)
  const second = ops.begin(100, 5)
  expect([ops.count, ops.bytes]).toEqual([2, 15])
  ops.end(first)
  expect([ops.count, ops.bytes]).toEqual([1, 5])
  ops.end(second)
  expect([ops.count, ops.bytes]).toEqual([0, 0])
})

test('is full with 16', () => {
  const ops = new InFlight(1)
  for (let index = 0; index < inFlightMax; index++) {
    expect(ops.isFull).toBe(false)
    ops.begin(index, 1)
  }
  expect(ops.isFull).toBe(true)
  ops.end(7)
  expect(ops.begin(100, 1)).toBe(7)
})

test('finds where a range is first touched', () => {
  const ops = new InFlight(1)
  ops.begin(100, 50)
  ops.begin(300, 50)
  expect(ops.firstIn(0, 100)).toBeUndefined()
  expect(ops.firstIn(150, 300)).toBeUndefined()
  expect(ops.firstIn(0, 101)).toBe(100)
  expect(ops.firstIn(120, 400)).toBe(120)
  expect(ops.firstIn(149, 150)).toBe(149)
  expect(ops.firstIn(200, 400)).toBe(300)
})

test('waits for one, or for all', async () => {
  const ops = new InFlight(1)
  const slots = [ops.begin(0, 1), ops.begin(1, 1)]
  const seen: string[] = []
  const waits = [ops.one().then(() => seen.push('one')), ops.all().then(() => seen.push('all'))]
  await settle()
  expect(seen).toEqual([])
  ops.end(slots[0]!)
  await settle()
  expect(seen).toEqual(['one'])
  ops.end(slots[1]!)
  await Promise.all(waits)
  expect(seen).toEqual(['one', 'all'])
  await ops.one()
  await ops.all()
})

test('a slot keeps its buffer, cut to what is asked for', () => {
  const ops = new InFlight(64)
  const whole = ops.buffer(3, 64)
  expect(whole.length).toBe(64)
  expect(ops.buffer(3, 64)).toBe(whole)
  const part = ops.buffer(3, 10)
  expect([part.length, part.buffer]).toEqual([10, whole.buffer])
  expect(ops.buffer(4, 64)).not.toBe(whole)
})
