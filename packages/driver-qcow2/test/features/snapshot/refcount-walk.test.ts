/** Proves that a walk counts everything once for each way that leads there, and can be taken back. */

import { expect, test } from 'vitest'
import { RefcountWalk } from '../../../src/features/snapshot/refcount-walk.ts'
import { newImage } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'

const cluster = 65536
const copied = 0x80000000

/** An image with an L2 table at cluster 4 whose entries are `entries`; clusters 5 to 14 are counted once. */
async function withEntries(...entries: [high: number, low: number][]) {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const opened = await openOn(file)
  const { image } = opened
  const slot = await image.l2Tables.loadForUpdate(0 as never)
  const start = image.l2Tables.cache.start(slot)
  entries.forEach(([high, low], index) => {
    image.l2Tables.cache.view.setUint32(start + index * 8, high)
    image.l2Tables.cache.view.setUint32(start + index * 8 + 4, low)
  })
  image.l2Tables.cache.markDirty(slot)
  await image.refcounts.increment(5, 10)
  const counts = () => Promise.all([4, 5, 6, 7, 8, 9].map((number) => image.refcounts.get(number)))
  const highs = () => entries.map((_, index) => image.l2Tables.cache.view.getUint32(start + index * 8))
  return { ...opened, counts, highs }
}

test('runs, zero clusters and compressed ones; flags follow the counts', async () => {
  const { image, counts, highs } = await withEntries(
    [copied, 5 * cluster],
    [copied, 6 * cluster],
    [0, 0],
    [copied, 8 * cluster + 1],
    // Seven sectors at the end of cluster 7, and on into cluster 8.
    [0x40000000 + (8 << 22), 8 * cluster - 3 * 512],
  )
  const table = image.l1.bytes.slice()
  await new RefcountWalk(image, table, 1).run()
  expect(await counts()).toEqual([2, 2, 2, 2, 3, 1])
  expect([highs(), table[0]]).toEqual([[0, 0, 0, 0, 0x40000000 + (8 << 22)], 0])
  await new RefcountWalk(image, table, -1).run()
  expect(await counts()).toEqual([1, 1, 1, 1, 1, 1])
  // Cluster 8 had two references when its entry was looked at: the walk that only looks sets that right.
  await new RefcountWalk(image, table, 0).run()
  expect([highs().slice(0, 4), table[0]]).toEqual([[copied, copied, 0, copied], 0x80])
})

test('a walk that fails half-way is taken back, flags and all', async () => {
  const { image, counts, highs } = await withEntries(
    [copied, 5 * cluster],
    [copied, 7 * cluster],
    [copied, 20 * cluster],
  )
  const table = image.l1.bytes.slice()
  image.refcounts.update = ((update) => async (change) => {
    if (change.first === 20) throw new TypeError('planted')
    return update.call(image.refcounts, change)
  })(image.refcounts.update)
  const walk = new RefcountWalk(image, table, 1)
  await expect(walk.run()).rejects.toThrow('planted')
  expect(await counts()).toEqual([1, 2, 1, 2, 1, 1])
  await walk.undo(table)
  expect([await counts(), highs(), table[0]]).toEqual([[1, 1, 1, 1, 1, 1], [copied, copied, copied], 0x80])
})

test('the last reference to a table frees it', async () => {
  const { image, counts } = await withEntries([copied, 5 * cluster])
  await new RefcountWalk(image, image.l1.bytes.slice(), -1).run()
  expect((await counts()).slice(0, 3)).toEqual([0, 0, 1])
})

test.each([
  { what: 'a table', l1: 0x40200, message: 'L2 table offset 0x40200 unaligned (L1 index: 0)' },
  {
    what: 'a cluster',
    l1: undefined,
    message: 'Cluster allocation offset 0x50200 unaligned (L2 offset: 0x40000, L2 index: 0)',
  },
])('$what that is not aligned is corruption', async ({ l1, message }) => {
  const { image, lines } = await withEntries([copied, 0x50200])
  const table = image.l1.bytes.slice()
  if (l1 !== undefined) new DataView(table.buffer).setUint32(4, l1)
  expect(await failureOf(() => new RefcountWalk(image, table, 1).run())).toBe('EIO Input/output error')
  expect(lines).toEqual([`qcow2: Marking image as corrupt: ${message}; further corruption events will be suppressed`])
})
