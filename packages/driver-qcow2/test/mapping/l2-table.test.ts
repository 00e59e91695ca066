/** Proves that a table of one's own is made, empty or as a copy, before anything in it changes. */

import { expect, test } from 'vitest'
import { guestOffset, hostOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open(content?: Uint8Array, l2CacheEntrySize = 4096) {
  const file = new MemoryChild(content ?? (await newImage(1024 * 1024 * 1024)))
  const opened = await openOn(file, { options: { l2CacheSize: 64 * 1024, l2CacheEntrySize } })
  file.log.length = 0
  return { file, ...opened }
}

test('slices and their entries', async () => {
  const { l2Tables } = (await open()).image
  expect(l2Tables.sliceEntries).toBe(512)
  const offset = guestOffset(700 * cluster + 5)
  expect([l2Tables.sliceIndex(offset), l2Tables.entriesToSliceEnd(offset)]).toEqual([188, 324])
  expect(await l2Tables.load(offset)).toBe(-1)
  const slot = await l2Tables.loadForUpdate(offset)
  expect(l2Tables.entryPosition(slot, offset)).toBe(slot * 4096 + 188 * 8)
  expect([l2Tables.tableOffset(offset), l2Tables.cache.offsetOf(slot)]).toEqual([4 * cluster, 4 * cluster + 4096])
  expect(await l2Tables.load(offset)).toBe(slot)
})

test('beyond the L1 table there is no table, until one is asked for', async () => {
  const { l2Tables, l1 } = (await open()).image
  const far = guestOffset(4 * 1024 * 1024 * 1024)
  expect([l2Tables.tableOffset(far), await l2Tables.load(far)]).toEqual([0, -1])
  await l2Tables.loadForUpdate(far)
  expect(l1.entryCount).toBeGreaterThan(8)
})

test('a shared table is copied, and one reference to the old one goes', async () => {
  const { file, image } = await open()
  const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
  image.l2Tables.cache.view.setUint32(image.l2Tables.cache.start(slot) + 4, 0x70000)
  image.l2Tables.cache.markDirty(slot)
  await image.refcounts.increment(4, 1)
  await image.caches.flush()
  // Somebody else refers to the table: the entry loses its mark, as a snapshot would have it.
  const content = file.content
  content[3 * cluster] = 0
  const shared = await open(content)
  await shared.image.l2Tables.loadForUpdate(guestOffset(0))
  expect(shared.image.l2Tables.tableOffset(guestOffset(0))).toBe(5 * cluster)
  expect([await shared.image.refcounts.get(4), await shared.image.refcounts.get(5)]).toEqual([1, 1])
  expect([...shared.file.content.subarray(5 * cluster, 5 * cluster + 8)]).toEqual([0, 0, 0, 0, 0, 7, 0, 0])
  const events = shared.file.log.flatMap(({ event }) => event ?? [])
  expect(events).toContain('l2_alloc_cow_read')
  expect(events.indexOf('l2_update')).toBeLessThan(events.indexOf('l1_update'))
})

test.each(['l2_alloc_write', 'l1_update'])('a failed write behind %s gives the new table back', async (announced) => {
  const { file, image } = await open()
  file.fail = ({ kind }) => (kind === 'write' && file.log.some(({ event }) => event === announced) ? 'EIO' : undefined)
  expect(await failureOf(() => image.l2Tables.loadForUpdate(guestOffset(0)))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect([image.l1.offsetOf(0), await image.refcounts.get(4), image.caches.l2Tables.isDirty]).toEqual([0, 0, false])
  await image.l2Tables.loadForUpdate(guestOffset(0))
  expect(image.l1.offsetOf(0)).toBe(4 * cluster)
})

test('a failed flush of the L1 entry keeps the new table: the disk may name it', async () => {
  const { file, image } = await open()
  file.fail = ({ kind }) =>
    kind === 'flush' && file.log.some(({ event }) => event === 'l1_update') ? 'EIO' : undefined
  expect(await failureOf(() => image.l2Tables.loadForUpdate(guestOffset(0)))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect([image.l1.offsetOf(0), await image.refcounts.get(4)]).toEqual([4 * cluster, 1])
})

test('an unaligned table is corruption', async () => {
  const content = await newImage(1024 * 1024)
  content.set([0x80, 0, 0, 0, 0, 5, 2, 0], 3 * cluster)
  for (const act of ['load', 'loadForUpdate'] as const) {
    const { image, lines } = await open(content)
    expect(await failureOf(() => image.l2Tables[act](guestOffset(0)))).toBe('EIO Input/output error')
    expect(lines[0]).toContain('L2 table offset 0x50200 unaligned (L1 index: 0)')
  }
})

test('cluster 0 is never handed out as a table', async () => {
  const { image, lines } = await open()
  const block = await image.refblocks.load(0)
  block?.fill(0)
  expect(await failureOf(() => image.l2Tables.loadForUpdate(guestOffset(0)))).toBe('EIO Input/output error')
  expect(lines[0]).toContain('Preventing invalid allocation of L2 table at offset 0')
})

// The flag alone is no table: taken for one, its entries would be those of an empty slot of the cache, or the header.
test.each([0, 5000 * cluster])('an entry with COPIED and no offset has no table (guest offset %d)', async (offset) => {
  const content = await newImage(512 * 1024 * 1024)
  content.set([0x80, 0, 0, 0, 0, 0, 0, 0], 3 * cluster)
  const { image } = await openOn(new MemoryChild(content), { options: { l2CacheEntrySize: 4096 } })
  expect([await image.l2Tables.load(guestOffset(offset)), image.caches.l2Tables.peek(0)]).toEqual([-1, -1])
  const slot = await image.l2Tables.loadForUpdate(guestOffset(offset))
  const table = image.l1.offsetOf(0)
  expect(image.caches.l2Tables.offsetOf(slot)).toBe(table + Math.floor(offset / cluster / 512) * 4096)
  expect(table).toBeGreaterThan(3 * cluster)
})

test('the beginning of a table is copied, the rest is empty', async () => {
  const { image } = await open()
  const { l2Tables, refcounts } = image
  const slot = await l2Tables.loadForUpdate(guestOffset(0))
  const table = l2Tables.tableOffset(guestOffset(0))
  l2Tables.cache.view.setUint32(l2Tables.cache.start(slot) + 4, 0x70000)
  l2Tables.cache.view.setUint32(l2Tables.cache.start(slot) + 12, 0x80000)
  l2Tables.cache.markDirty(slot)
  expect([await l2Tables.hasEntriesFrom(table, 1), await l2Tables.hasEntriesFrom(table, 2)]).toEqual([true, false])
  const copy = await l2Tables.makeCopy(table, 1)
  const at = l2Tables.cache.start(await l2Tables.cache.load(copy))
  expect([l2Tables.cache.view.getUint32(at + 4), l2Tables.cache.view.getUint32(at + 12)]).toEqual([0x70000, 0])
  expect([await refcounts.get(copy / cluster), l2Tables.tableOffset(guestOffset(0))]).toEqual([1, table])
})

test('a copy that cannot be read leaves no cluster behind', async () => {
  const { file, image } = await open()
  file.fail = ({ kind }) => (kind === 'read' ? 'EIO' : undefined)
  expect(await failureOf(() => image.l2Tables.makeCopy(hostOffset(3 * cluster), 1))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect(await image.refcounts.get(4)).toBe(0)
})

test('a table moves towards the beginning of the file only', async () => {
  const { image } = await open()
  const { l2Tables, refcounts } = image
  await refcounts.increment(4, 3)
  await l2Tables.loadForUpdate(guestOffset(0))
  expect(l2Tables.tableOffset(guestOffset(0))).toBe(7 * cluster)
  await l2Tables.moveDown(0)
  expect([l2Tables.tableOffset(guestOffset(0)), await refcounts.get(8)]).toEqual([7 * cluster, 0])
  await refcounts.decrement(4, 3)
  await l2Tables.moveDown(0)
  expect([l2Tables.tableOffset(guestOffset(0)), await refcounts.get(7)]).toEqual([4 * cluster, 0])
})
