/** Proves that counts are found through table and cache, and that a broken table is corruption. */

import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

test('counts, also of clusters that no block counts', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
  const counts = await Promise.all([0, 3, 4, 32767, 32768, 2 ** 40].map((cluster) => image.refblocks.refcount(cluster)))
  expect(counts).toEqual([1, 1, 0, 0, 0, 0])
  expect(await image.refblocks.load(32768)).toBeUndefined()
  expect(await image.refblocks.load(0)).toHaveLength(65536)
})

test('clusters in use are counted, as far as is asked', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024, { clusterSize: 512, refcountBits: 64 })))
  while ((await image.refcounts.increment(200, 10)) === 'again');
  const { refblocks } = image
  const before = await refblocks.countUsed(200, 1000)
  expect(await refblocks.countUsed(205, 1000)).toBe(before + 5)
  expect(await refblocks.countUsed(100_000, 1000)).toBe(before + 10)
  expect(await refblocks.countUsed(100_000, 3)).toBe(3)
})

test('an unaligned block is corruption', async () => {
  const content = await newImage(1024 * 1024)
  content[0x10006] = 0x02
  const { image, lines } = await openOn(new MemoryChild(content))
  expect(await failureOf(() => image.refblocks.refcount(0))).toBe('EIO Input/output error')
  expect(lines[0]).toContain('Refblock offset 0x20200 unaligned (reftable index: 0)')
})
