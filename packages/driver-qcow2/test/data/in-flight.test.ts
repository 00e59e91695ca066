/** Proves who waits for whom among writes that are under way. */

import { expect, test } from 'vitest'
import { InFlightWrites } from '../../src/data/in-flight.ts'
import { guestOffset } from '../../src/format/geometry.ts'

const write = (start: number, end: number, allocates = true) => ({ start: guestOffset(start), end, allocates })

test('a request is cut before the first cluster that is being allocated', () => {
  const writes = new InFlightWrites()
  expect([writes.isEmpty, writes.clip(0, 100)]).toEqual([true, 100])
  writes.add(write(50, 60))
  writes.add(write(30, 40))
  writes.add(write(0, 10, false))
  expect([writes.isEmpty, writes.clip(0, 100), writes.clip(35, 10), writes.clip(40, 100), writes.clip(60, 5)]).toEqual([
    false,
    30,
    0,
    10,
    5,
  ])
})

test('writes in place keep only discards away', () => {
  const writes = new InFlightWrites()
  writes.add(write(0, 10, false))
  expect([writes.clip(5, 10), writes.touches(5, 6), writes.touches(10, 20)]).toEqual([10, true, false])
})

test('who waits is woken by the end of what touches its range, and by nothing else', async () => {
  const writes = new InFlightWrites()
  const first = write(0, 10)
  const second = write(20, 30)
  writes.add(first)
  writes.add(second)
  const woken: string[] = []
  const waiting = [
    writes.wait(5, 6).then(() => woken.push('a')),
    writes.wait(25, 26).then(() => woken.push('b')),
    writes.wait(5, 26).then(() => woken.push('both')),
  ]
  writes.remove(second)
  await Promise.resolve()
  await Promise.resolve()
  expect(woken.sort()).toEqual(['b', 'both'])
  writes.remove(first)
  writes.remove(first)
  await Promise.all(waiting)
  expect(writes.isEmpty).toBe(true)
})
