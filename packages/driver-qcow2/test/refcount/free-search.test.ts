/** Proves that searches find runs of free clusters from the cursor on, and leave alone what waits for a flush. */

import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

/** 512-byte clusters with 64 counts per block: the image itself uses the first clusters. */
async function open(size = 64 * 1024) {
  const { image } = await openOn(new MemoryChild(await newImage(size, { clusterSize: 512, refcountBits: 64 })))
  return image
}

test('a run that fits, across blocks that do not exist yet', async () => {
  const { search, refcounts } = await open()
  expect([search.cursor, await search.find(2, 2 ** 50), search.cursor]).toEqual([0, 4, 6])
  expect(await search.find(1000, 2 ** 50)).toBe(6)
  search.lower(4)
  search.lower(100)
  await refcounts.increment(5, 1)
  expect(await search.find(2, 2 ** 50)).toBe(6)
  search.reset()
  expect(await search.find(1, 2 ** 50)).toBe(4)
})

test('the end of the file', async () => {
  const { search } = await open()
  expect(await failureOf(() => search.find(4, 6 * 512))).toBe('EFBIG File too large')
})

test('free clusters at a place', async () => {
  const { search, refcounts } = await open()
  await refcounts.increment(20, 1)
  expect(await search.countFreeAt(4, 100)).toBe(16)
  expect(await search.countFreeAt(20, 1)).toBe(0)
  expect(await search.countFreeAt(21, 1000)).toBe(1000)
})

test('clusters that wait for a flush are not free', async () => {
  const { search, freed, caches } = await open()
  freed.add(4, 3, 'never')
  expect(await search.countFreeAt(4, 2)).toBe(0)
  expect(await search.find(2, 2 ** 50)).toBe(7)
  await caches.l2Tables.flush()
  expect([search.cursor, await search.find(2, 2 ** 50)]).toEqual([4, 4])
})

test('clusters that become free in the middle of a search do not lead it astray', async () => {
  const { search, freed, refcounts, caches } = await open()
  while ((await refcounts.increment(4, 12 * 64 - 4)) === 'again');
  // Twelve free clusters in block 7, with the cursor behind the first of them.
  const hole = 7 * 64 + 9
  await refcounts.decrement(hole, 12)
  expect(await search.find(1, 2 ** 50)).toBe(hole)
  await refcounts.increment(hole, 1)
  await caches.flush()
  // Cluster 20 waits for the L2 tables; its block is changed, waits too, and is the next to leave the cache.
  await refcounts.update({ first: 20, clusterCount: 1, delta: -1, discard: 'never', unlinked: 'in-cache' })
  for (const block of [9, 10, 11]) await refcounts.get(block * 64)
  expect(freed.holds(20)).toBe(true)
  expect(await search.find(5, 2 ** 50)).toBe(hole + 1)
  expect([freed.isEmpty, search.cursor]).toEqual([true, 20])
  expect(await search.find(1, 2 ** 50)).toBe(20)
})
