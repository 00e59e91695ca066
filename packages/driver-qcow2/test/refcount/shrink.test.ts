/** Proves that refcount blocks go when they count nothing but themselves, and stay when they count anything. */

import { expect, test } from 'vitest'
import { dropEmptyRefblocks } from '../../src/refcount/shrink.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

/** An image with a block that counts clusters 192 to 255: itself, or not. */
async function withBlocks() {
  const file = new MemoryChild(await newImage(1024 * 1024, { clusterSize: 512, refcountBits: 64 }))
  const { image } = await openOn(file)
  while ((await image.refcounts.increment(200, 1)) === 'again');
  await image.caches.flush()
  return { file, image }
}

test('a block that counts something stays', async () => {
  const { image } = await withBlocks()
  const before = image.refcountTable.bytes.slice()
  await dropEmptyRefblocks(image)
  expect(image.refcountTable.bytes).toEqual(before)
})

test('a block that counts nothing goes, and its cluster is free', async () => {
  const { file, image } = await withBlocks()
  const block = image.refcountTable.offsetOf(3)
  expect(block).toBeGreaterThan(0)
  await image.refcounts.decrement(200, 1)
  await image.caches.flush()
  await dropEmptyRefblocks(image)
  expect([image.refcountTable.offsetOf(3), await image.refcounts.get(block / 512)]).toEqual([0, 0])
  expect(image.refcountTable.offsetOf(0)).toBeGreaterThan(0)
  await image.caches.flush()
  const again = await openOn(new MemoryChild(file.content))
  expect(again.image.refcountTable.offsetOf(3)).toBe(0)
})

test('a table that cannot be written keeps its blocks', async () => {
  const { file, image } = await withBlocks()
  await image.refcounts.decrement(200, 1)
  await image.caches.flush()
  const block = image.refcountTable.offsetOf(3)
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => dropEmptyRefblocks(image))).toBe('EIO Input/output error')
  expect(image.refcountTable.offsetOf(3)).toBe(block)
})

test('after a failed flush a dropped block is neither written nor used again before one succeeds', async () => {
  const { file, image } = await withBlocks()
  const block = image.refcountTable.offsetOf(3)
  await image.refcounts.decrement(200, 1)
  file.fail = ({ kind }) => (kind === 'flush' ? 'EIO' : undefined)
  expect(await failureOf(() => dropEmptyRefblocks(image))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect([image.refcountTable.offsetOf(3), image.caches.refblocks.peek(block)]).toEqual([0, -1])
  expect(image.freed.holds(block / 512)).toBe(true)
  await image.caches.flush()
  expect(image.freed.holds(block / 512)).toBe(false)
})

test('where a sector of the table cannot be written, memory has what the disk has', async () => {
  const file = new MemoryChild(await newImage(1024 * 1024, { clusterSize: 1024, refcountBits: 64 }))
  const { image } = await openOn(file)
  // Entries 3 and 70 of the table, which has two sectors.
  for (const cluster of [400, 9000]) {
    while ((await image.refcounts.increment(cluster, 1)) === 'again');
    await image.refcounts.decrement(cluster, 1)
  }
  await image.caches.flush()
  const { refcountTable, header } = image
  const [first, second] = [refcountTable.offsetOf(3), refcountTable.offsetOf(70)]
  let writes = 0
  file.fail = ({ kind }) => (kind === 'write' && ++writes === 2 ? 'EIO' : undefined)
  expect(await failureOf(() => dropEmptyRefblocks(image))).toBe('EIO Input/output error')
  expect([refcountTable.offsetOf(3), refcountTable.offsetOf(70)]).toEqual([0, second])
  const place = header.header.refcountTableOffset
  expect(file.content.subarray(place, place + 1024)).toEqual(refcountTable.bytes)
  expect([image.freed.holds(first / 1024), image.freed.holds(second / 1024)]).toEqual([true, false])
})
