/** Proves that a range is counted as a whole or not at all, for every width of refcounts. */

import { describe, expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

async function open(refcountBits: number) {
  const file = new MemoryChild(await newImage(64 * 1024, { clusterSize: 512, refcountBits }))
  return { file, ...(await openOn(file)) }
}

const release = (first: number, clusterCount: number) =>
  ({ first, clusterCount, delta: -1, discard: 'always', unlinked: 'on-disk' }) as const

describe.each([1, 2, 4, 8, 16, 32, 64])('%i bits', (bits) => {
  test('up to the limit and back', async () => {
    const { image } = await open(bits)
    const { refcounts, geometry } = image
    const limit = Math.min(geometry.refcountMax, 3)
    for (let count = 1; count <= limit; count++) expect(await refcounts.increment(10, 3)).toBe('done')
    expect(await refcounts.get(12)).toBe(limit)
    if (geometry.refcountMax === limit) {
      expect(await failureOf(() => refcounts.increment(9, 2))).toBe('EINVAL Invalid argument')
      expect([await refcounts.get(9), await refcounts.get(10)]).toEqual([0, limit])
    }
    for (let count = limit; count > 0; count--) await refcounts.update(release(10, 3))
    expect(await failureOf(() => refcounts.update(release(9, 4)))).toBe('EINVAL Invalid argument')
    expect([await refcounts.get(9), await refcounts.get(13)]).toEqual([0, 0])
  })
})

test('a new block is added on the way: nothing is counted then, and the caller starts over', async () => {
  const { image } = await open(64)
  const { refcounts, search } = image
  await search.find(20, 2 ** 50)
  expect(await refcounts.increment(60, 10)).toBe('again')
  expect([await refcounts.get(60), await refcounts.get(69)]).toEqual([0, 0])
  expect(await refcounts.increment(60, 10)).toBe('done')
  expect([await refcounts.get(60), await refcounts.get(69)]).toEqual([1, 1])
})

test('an error in the middle takes back what was done', async () => {
  const { file, image } = await open(64)
  while ((await image.refcounts.increment(100, 1)) === 'again');
  await image.caches.flush()
  const blockOffset = image.refcountTable.offsetOf(1)
  image.caches.refblocks.forget(blockOffset)
  file.fail = ({ kind, offset }) => (kind === 'read' && offset === blockOffset ? 'EIO' : undefined)
  expect(await failureOf(() => image.refcounts.increment(10, 200))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect(await Promise.all([10, 63, 64, 100].map((cluster) => image.refcounts.get(cluster)))).toEqual([0, 0, 0, 1])
})

test('freed clusters are punched at once only if no table on disk names them', async () => {
  const { file, image } = await open(16)
  await image.refcounts.increment(10, 4)
  const holes = () => file.log.filter(({ kind }) => kind === 'discard').map(({ offset }) => offset / 512)
  await image.refcounts.update(release(10, 1))
  expect(holes()).toEqual([10])
  await image.refcounts.update({ ...release(11, 2), unlinked: 'in-cache' })
  await image.refcounts.decrement(13, 1)
  expect([holes(), image.freed.holds(11), image.freed.holds(13)]).toEqual([[10], true, false])
  await image.caches.l2Tables.flush()
  expect(holes()).toEqual([10, 11])
})

test('many scattered frees flush by themselves, so that the list stays small', async () => {
  const { image } = await open(16)
  while ((await image.refcounts.increment(1000, 10_000)) === 'again');
  for (let cluster = 1000; cluster < 11_000; cluster += 2) {
    await image.refcounts.update({ ...release(cluster, 1), unlinked: 'in-cache' })
  }
  expect(image.freed.holds(1000)).toBe(false)
  expect(image.freed.holds(10_998)).toBe(true)
})

test('clusters that no block counts have nothing to take away', async () => {
  const { image } = await open(64)
  expect(await failureOf(() => image.refcounts.update(release(5000, 1)))).toBe('EINVAL Invalid argument')
  expect(await image.refcounts.update({ ...release(5000, 0) })).toBe('done')
})

// A cluster that counts as free and is not held back would be used again while the disk still refers to it.
test('all that was freed is held back, also where the list is full and cannot be emptied', async () => {
  const { file, image } = await open(16)
  const { refcounts, freed } = image
  await refcounts.increment(100, 5)
  await refcounts.increment(102, 1)
  for (let run = 0; run < 4096; run++) freed.add(100_000 + 2 * run, 1, 'never')
  file.fail = ({ kind }) => (kind === 'flush' ? 'EIO' : undefined)
  const change = { ...release(100, 5), unlinked: 'in-cache' } as const
  expect(await failureOf(() => refcounts.update(change))).toBe('EIO Input/output error')
  expect([100, 101, 102, 103, 104].map((cluster) => freed.holds(cluster))).toEqual([true, true, false, true, true])
  expect(await image.search.countFreeAt(103, 2)).toBe(0)
})
