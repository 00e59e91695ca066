/** Proves that nobody sleeps past a wake-up, and that watchers are asked again after every change. */
import { expect, test } from 'vitest'
import { Parking, Watchers } from '../src/waiting.ts'
import { ManualClock, settle } from './helpers/manual-clock.ts'

test('a sleeper wakes at its time', async () => {
  const clock = new ManualClock()
  const parking = new Parking(clock)
  let awake = false
  const sleep = parking.park(100).then(() => {
    awake = true
  })
  await clock.advance(99)
  expect([awake, parking.isOccupied]).toEqual([false, true])
  await clock.advance(1)
  expect([awake, parking.isOccupied]).toEqual([true, false])
  await sleep
})

test('a sleeper who is woken leaves no timer behind', async () => {
  const clock = new ManualClock()
  const parking = new Parking(clock)
  const sleep = parking.park(100)
  parking.wake()
  await sleep
  expect(clock.pending).toBe(0)
})

test('waking nobody does nothing', async () => {
  const parking = new Parking(new ManualClock())
  parking.wake()
  const sleep = parking.park()
  await settle()
  expect(parking.isOccupied).toBe(true)
  parking.wake()
  await sleep
})

test('a watcher goes on when its condition holds', async () => {
  const watchers = new Watchers()
  let value = 0
  let seen = -1
  const wait = watchers
    .until(() => value === 2)
    .then(() => {
      seen = value
    })
  for (value = 1; value <= 2; value++) {
    watchers.notify()
    await settle()
    if (value === 1) expect(seen).toBe(-1)
  }
  await wait
  expect(seen).toBe(2)
})
