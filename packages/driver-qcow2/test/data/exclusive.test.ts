/** Proves that a change waits for writes in its range, holds the lock while it runs, and gives its result. */

import { expect, test } from 'vitest'
import { exclusively } from '../../src/data/exclusive.ts'
import { InFlightWrites } from '../../src/data/in-flight.ts'
import { MetadataLock } from '../../src/metadata/metadata-lock.ts'

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2))

test('it waits for what touches the range, and for nothing else', async () => {
  const parts = { lock: new MetadataLock(), inFlight: new InFlightWrites() }
  const near = { start: 0 as never, end: 10, allocates: false }
  const far = { start: 100 as never, end: 110, allocates: true }
  parts.inFlight.add(near)
  parts.inFlight.add(far)
  let ran = 0
  const change = async (): Promise<string> => {
    ran++
    return parts.lock.held ? 'held' : 'free'
  }
  const waiting = exclusively(parts, 5, 50, change)
  expect(await exclusively(parts, 20, 50, change)).toBe('held')
  await pause()
  expect([ran, parts.lock.held]).toEqual([1, false])
  parts.inFlight.remove(near)
  expect(await waiting).toBe('held')
  expect([ran, parts.lock.held]).toEqual([2, false])
})

test('a failure releases the lock', async () => {
  const parts = { lock: new MetadataLock(), inFlight: new InFlightWrites() }
  const broken = exclusively(parts, 0, 1, async () => {
    throw new Error('broken')
  })
  await expect(broken).rejects.toThrow('broken')
  expect(parts.lock.held).toBe(false)
})
