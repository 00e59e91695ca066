/** Proves that L1 entries and moves of the table are durable in order, and right after each failure. */

import { expect, test } from 'vitest'
import { hostOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const MiB = 1024 * 1024

async function open(size = 2048 * MiB) {
  const file = new MemoryChild(await newImage(size))
  const opened = await openOn(file)
  file.log.length = 0
  return { file, ...opened }
}

test('an entry is written where the header says, and marked as owned alone', async () => {
  const { file, image } = await open()
  const { l1 } = image
  expect([l1.entryCount, l1.offsetOf(0), l1.isCopied(0), l1.bytes.length]).toEqual([4, 0, false, 32])
  await l1.store(2, hostOffset(0x50000))
  expect([l1.offsetOf(2), l1.isCopied(2)]).toEqual([0x50000, true])
  expect([...file.content.subarray(0x30010, 0x30018)]).toEqual([0x80, 0, 0, 0, 0, 5, 0, 0])
  expect(image.regions.test('active-l2')?.(0x5ffff, 0x60000)).toBe(true)
  expect(image.regions.test('active-l1')?.(0x3001f, 0x30020)).toBe(true)
  expect(image.regions.test('active-l1')?.(0x30020, 0x30021)).toBe(false)
  l1.clear()
  expect(l1.offsetOf(2)).toBe(0)
})

test('after a failed write the old entry stands, after a failed flush the new', async () => {
  const { file, image } = await open()
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => image.l1.store(0, hostOffset(0x50000)))).toBe('EIO Input/output error')
  expect(image.l1.offsetOf(0)).toBe(0)
  file.fail = ({ kind }) => (kind === 'flush' ? 'EIO' : undefined)
  expect(await failureOf(() => image.l1.store(0, hostOffset(0x50000)))).toBe('EIO Input/output error')
  expect(image.l1.offsetOf(0)).toBe(0x50000)
})

test('growing moves the table and frees its old place', async () => {
  const { image } = await open()
  await image.l1.store(1, hostOffset(0x70000))
  await image.l1.grow(3, true)
  expect(image.header.header.l1TableOffset).toBe(0x30000)
  await image.l1.grow(5, true)
  expect([image.l1.entryCount, image.header.header.l1Size, image.header.header.l1TableOffset]).toEqual([5, 5, 0x40000])
  expect([image.l1.offsetOf(1), await image.refcounts.get(3), await image.refcounts.get(4)]).toEqual([0x70000, 0, 1])
  await image.l1.grow(6, false)
  expect(image.l1.entryCount).toBe(8)
})

test('an L1 table has a largest size', async () => {
  const { image } = await open()
  expect(await failureOf(() => image.l1.grow(4_194_305, true))).toBe('EFBIG File too large')
})

test.each([
  { event: 'l1_grow_write_table', moved: false },
  { event: 'l1_grow_activate_table', moved: false },
])('a failure behind $event leaves the old table in force and nothing allocated', async ({ event, moved }) => {
  const { file, image } = await open()
  file.fail = ({ kind }) =>
    kind === 'write' && file.log.some((request) => request.event === event) ? 'EIO' : undefined
  expect(await failureOf(() => image.l1.grow(5, true))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect([image.l1.entryCount === 5, image.header.header.l1Size === 5]).toEqual([moved, moved])
  expect([await image.refcounts.get(3), await image.refcounts.get(4)]).toEqual([1, 0])
})

test('a failed flush of the header leaves the new table in force: the disk may have either', async () => {
  const { file, image } = await open()
  file.fail = ({ kind }) =>
    kind === 'flush' && file.log.some(({ event }) => event === 'l1_grow_activate_table') ? 'EIO' : undefined
  expect(await failureOf(() => image.l1.grow(5, true))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect([image.l1.entryCount, image.header.header.l1Size]).toEqual([5, 5])
  expect([await image.refcounts.get(3), await image.refcounts.get(4)]).toEqual([1, 1])
})

test('another table and another size come into force together', async () => {
  const { file, image } = await open()
  await image.l1.store(1, hostOffset(0x70000))
  const other = image.l1.bytes.slice()
  other.fill(0, 8, 16)
  file.fail = ({ kind, bytes }) => (kind === 'write' && bytes === 24 ? 'EIO' : undefined)
  expect(await failureOf(() => image.l1.switchTo(other, MiB))).toBe('EIO Input/output error')
  expect([image.l1.offsetOf(1), image.header.header.size, await image.refcounts.get(4)]).toEqual([
    0x70000,
    2048 * MiB,
    0,
  ])
  file.fail = () => undefined
  await image.l1.switchTo(other, MiB)
  expect([image.l1.offsetOf(1), image.header.header.size]).toEqual([0, MiB])
  expect([image.header.header.l1TableOffset, await image.refcounts.get(3)]).toEqual([0x40000, 0])
  // The first free place lies before: back it goes, and from there it does not move.
  await image.l1.moveDown()
  expect([image.header.header.l1TableOffset, await image.refcounts.get(4)]).toEqual([0x30000, 0])
  await image.l1.moveDown()
  expect([image.header.header.l1TableOffset, await image.refcounts.get(4)]).toEqual([0x30000, 0])
})

test('flags are written over the table where they differ', async () => {
  const { file, image } = await open()
  await image.l1.store(1, hostOffset(0x70000))
  file.log.length = 0
  const flags = image.l1.bytes.slice()
  await image.l1.storeFlags(flags)
  expect(file.log).toEqual([])
  flags[8] = 0
  await image.l1.storeFlags(flags)
  expect([image.l1.isCopied(1), image.l1.offsetOf(1), file.content[0x30008]]).toEqual([false, 0x70000, 0])
  expect(file.log.map(({ kind }) => kind)).toEqual(['write', 'flush'])
})
