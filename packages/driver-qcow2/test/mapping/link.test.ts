/** Proves that links own their clusters, order what must be durable first, and free what was there before. */

import { expect, test } from 'vitest'
import { guestOffset, hostOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open(lazyRefcounts = false) {
  const file = new MemoryChild(await newImage(1024 * 1024, { lazyRefcounts }))
  const opened = await openOn(file)
  await opened.image.l2Tables.loadForUpdate(guestOffset(0))
  return { file, ...opened }
}

const request = (host: number, keepOld = false) => ({
  guestOffset: guestOffset(0),
  hostOffset: hostOffset(host),
  clusterCount: 2,
  keepOld,
  filled: { start: 0, end: 2 * cluster },
})

test('entries point to consecutive clusters; the old ones are freed afterwards', async () => {
  const { image } = await open()
  const first = await image.allocator.allocate(2 * cluster)
  await image.linker.link(request(first))
  expect(await image.lookup.find(guestOffset(0), 2 * cluster)).toMatchObject({
    type: 'normal',
    hostOffset: first,
    high: 0x80000000,
  })
  const second = await image.allocator.allocate(2 * cluster)
  await image.linker.link(request(second))
  expect(await image.refcounts.get(first / cluster)).toBe(0)
  expect(image.freed.holds(first / cluster + 1)).toBe(true)
})

test('clusters that are kept are not freed', async () => {
  const { image } = await open()
  const host = await image.allocator.allocate(2 * cluster)
  await image.linker.link(request(host))
  await image.linker.link(request(host, true))
  expect(await image.refcounts.get(host / cluster)).toBe(1)
})

test('refcounts are durable before the entries', async () => {
  const { file, image } = await open()
  await image.caches.flush()
  await image.linker.link(request(await image.allocator.allocate(2 * cluster)))
  file.log.length = 0
  await image.caches.l2Tables.store()
  expect(file.log.map(({ kind, event }) => event ?? kind)).toEqual([
    'refblock_update_part',
    'write',
    'flush',
    'l2_update',
    'write',
  ])
})

test('lazily: the dirty mark once, then only a flush', async () => {
  const { file, image } = await open(true)
  await image.linker.link(request(await image.allocator.allocate(2 * cluster)))
  expect(image.header.isDirty).toBe(true)
  file.log.length = 0
  await image.caches.l2Tables.store()
  expect(file.log.map(({ kind, event }) => event ?? kind)).toEqual(['flush', 'l2_update', 'write'])
})

test('lazily, where the mark cannot be written: refcounts stay up to date', async () => {
  const { file, image } = await open(true)
  await image.caches.flush()
  const host = await image.allocator.allocate(2 * cluster)
  file.fail = ({ kind, offset }) => (kind === 'write' && offset === 72 ? 'EIO' : undefined)
  await image.linker.link(request(host))
  expect(image.header.isDirty).toBe(false)
  file.log.length = 0
  await image.caches.l2Tables.store()
  expect(file.log[0]?.event).toBe('refblock_update_part')
})
