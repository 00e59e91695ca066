/** Proves that what nobody asks for goes at the interval, never where that is 0, and that a reopening changes it. */

import type { OpenFlags } from '@blocklayer/block-core/driver'
import { filled } from '@blocklayer/block-core/testing'
import { expect, test, vi } from 'vitest'
import { type After, CacheCleaner } from '../../src/open/cache-cleaner.ts'
import { closeImage } from '../../src/open/close.ts'
import { prepareReopen } from '../../src/open/reopen-options.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

/** A clock that the test moves. */
function handClock(): { after: After; pending: { milliseconds: number; callback: () => void }[]; tick: () => void } {
  const pending: { milliseconds: number; callback: () => void }[] = []
  const after: After = (milliseconds, callback) => {
    const entry = { milliseconds, callback }
    pending.push(entry)
    return () => {
      if (pending.includes(entry)) pending.splice(pending.indexOf(entry), 1)
    }
  }
  return { after, pending, tick: () => pending.shift()?.callback() }
}

async function loaded(options = {}) {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const { image } = await openOn(file, { options })
  await image.writer.write(0, filled(1, 65536))
  const table = image.l1.offsetOf(0)
  const { caches } = image
  const isCached = (): boolean => caches.l2Tables.peek(table) >= 0
  return { image, isCached, caches }
}

test('an entry goes when it was not used between two ticks', async () => {
  const { image, caches, isCached } = await loaded({ cacheCleanInterval: 0 })
  await caches.flush()
  const { after, pending, tick } = handClock()
  const cleaner = new CacheCleaner(image, after)
  cleaner.start(7)
  expect(pending.map(({ milliseconds }) => milliseconds)).toEqual([7000])
  tick()
  expect(isCached()).toBe(true)
  tick()
  expect(isCached()).toBe(true)
  tick()
  tick()
  expect(isCached()).toBe(false)
  expect(caches.refblocks.peek(131072)).toBe(-1)
  cleaner.start(0)
  expect(pending).toEqual([])
  cleaner.start(1)
  cleaner.stop()
  expect(pending).toEqual([])
})

test('not while somebody works with the tables', async () => {
  const { image, caches, isCached } = await loaded({ cacheCleanInterval: 0 })
  await caches.flush()
  const { after, tick } = handClock()
  new CacheCleaner(image, after).start(1)
  tick()
  await image.lock.run(() => {
    tick()
    tick()
  })
  expect(isCached()).toBe(true)
})

test('an open image is cleaned by the real clock, as soon as a reopening asks for it', async () => {
  const { image, caches, isCached } = await loaded({ cacheCleanInterval: 0 })
  const flags = { unmap: false } as OpenFlags
  await (await prepareReopen(image, { readOnly: false, flags, options: { cacheCleanInterval: 1 } })).commit()
  // Looking by `peek` is no use here: it would count as one.
  const { l2Tables } = caches
  const isFull = (): boolean =>
    Array.from({ length: l2Tables.entryCount }, (_, slot) => l2Tables.offsetOf(slot)).some((offset) => offset !== 0)
  expect(isFull()).toBe(true)
  await vi.waitFor(() => expect(isFull()).toBe(false), { timeout: 20_000, interval: 50 })
  expect(isCached()).toBe(false)
  await closeImage(image)
})
