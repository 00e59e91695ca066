/** Proves that everything that entries point to loses one reference, in as few steps as they allow. */

import { expect, test } from 'vitest'
import { guestOffset } from '../../src/format/geometry.ts'
import { EntryList, freeEntries, freeTableEntries } from '../../src/mapping/free-entries.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

const cluster = 65536
const copied = 0x80000000

async function open() {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const opened = await openOn(file)
  await opened.image.refcounts.increment(4, 20)
  file.log.length = 0
  return { file, ...opened, frees: () => file.log.filter(({ event }) => event === 'cluster_free').length }
}

function list(...entries: [number, number][]): EntryList {
  const entryList = new EntryList()
  for (const [high, low] of entries) entryList.add(high, low)
  return entryList
}

const counts = async (image: Awaited<ReturnType<typeof open>>['image'], clusters: number[]) =>
  Promise.all(clusters.map((number) => image.refcounts.get(number)))

test('neighbours go together, the rest one by one', async () => {
  const { image, frees } = await open()
  await freeEntries(
    image,
    list(
      [copied, 4 * cluster],
      [copied, 5 * cluster],
      [0, 0],
      [0, 1],
      [copied, 6 * cluster + 1],
      [copied, 9 * cluster],
    ),
    'never',
  )
  expect([await counts(image, [4, 5, 6, 7, 9]), frees()]).toEqual([[0, 0, 0, 1, 0], 2])
})

test('compressed clusters free all clusters they touch', async () => {
  const { image } = await open()
  // 128 sectors beyond the first, from the end of cluster 9: into cluster 10 as well.
  await freeEntries(image, list([0x40000000 + (128 << 22), 10 * cluster - 512]), 'never')
  expect(await counts(image, [8, 9, 10, 11])).toEqual([1, 0, 0, 1])
})

test('refcounts wait for the L2 tables, and so do the clusters', async () => {
  const { image } = await open()
  await freeEntries(image, list([copied, 4 * cluster]), 'request')
  expect([image.freed.holds(4), image.freed.holds(5)]).toEqual([true, false])
})

test('an unaligned entry is corruption, but no reason to stop', async () => {
  const { image, lines } = await open()
  await freeEntries(image, list([copied, 4 * cluster + 512], [copied, 5 * cluster]), 'never')
  expect(lines).toEqual([
    'qcow2: Image is corrupt: Cannot free unaligned cluster 0x40200; further non-fatal corruption events will be suppressed',
  ])
  expect(await counts(image, [4, 5])).toEqual([1, 0])
})

test('a list grows with what it holds', () => {
  const entries = list(...Array.from({ length: 1000 }, (_, index): [number, number] => [index, 2 * index]))
  expect([entries.count, entries.high(999), entries.low(999)]).toEqual([1000, 999, 1998])
})

test('a table gives back what its entries point to, from one of them on', async () => {
  const { image } = await open()
  const { l2Tables } = image
  const slot = await l2Tables.loadForUpdate(guestOffset(0))
  const table = l2Tables.tableOffset(guestOffset(0))
  for (let index = 0; index < 3; index++) {
    l2Tables.cache.view.setUint32(l2Tables.cache.start(slot) + index * 8, copied)
    l2Tables.cache.view.setUint32(l2Tables.cache.start(slot) + index * 8 + 4, (4 + index) * cluster)
  }
  await freeTableEntries(image, table, 1)
  expect(await counts(image, [4, 5, 6])).toEqual([1, 0, 0])
})
