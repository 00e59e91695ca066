/** Proves that bytes are packed, across clusters that follow each other, and never in a cluster that was given up. */

import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open(options = {}) {
  const opened = await openOn(new MemoryChild(await newImage(1024 * 1024, options)))
  return { ...opened, ...opened.image }
}

test('one behind the other, also over a cluster bound', async () => {
  const { byteAllocator, refcounts } = await open()
  expect([await byteAllocator.allocate(60000), await byteAllocator.allocate(10000)]).toEqual([
    4 * cluster,
    4 * cluster + 60000,
  ])
  expect([await refcounts.get(4), await refcounts.get(5)]).toEqual([2, 1])
  expect(await byteAllocator.allocate(cluster - 4464)).toBe(5 * cluster + 4464)
  // The last one ended with its cluster: the next begins another one.
  expect(await byteAllocator.allocate(1)).toBe(6 * cluster)
})

test('not over a bound where the next cluster is taken', async () => {
  const { byteAllocator, refcounts } = await open()
  await byteAllocator.allocate(60000)
  await refcounts.increment(5, 1)
  expect(await byteAllocator.allocate(10000)).toBe(6 * cluster)
})

test('not in a cluster that became free meanwhile, and perhaps somebody else’s', async () => {
  const { byteAllocator, allocator } = await open()
  const first = await byteAllocator.allocate(100)
  await allocator.free(first, 100, { discard: 'never', unlinked: 'on-disk' })
  expect(await allocator.allocate(cluster)).toBe(first)
  expect(await byteAllocator.allocate(100)).toBe(5 * cluster)
  byteAllocator.reset()
  expect(await byteAllocator.allocate(100)).toBe(6 * cluster)
})

test('not in a cluster whose count is at its limit', async () => {
  const { byteAllocator } = await open({ refcountBits: 2 })
  const places: number[] = []
  for (let count = 0; count < 4; count++) places.push(await byteAllocator.allocate(10))
  expect(places).toEqual([4 * cluster, 4 * cluster + 10, 4 * cluster + 20, 5 * cluster])
})

test('the first cluster is nobody’s', async () => {
  const { byteAllocator, refcounts, search, lines } = await open()
  await refcounts.decrement(0, 1)
  search.reset()
  expect(await failureOf(() => byteAllocator.allocate(10))).toBe('EIO Input/output error')
  expect(lines.join()).toContain('Preventing invalid allocation of compressed cluster at offset 0')
})
