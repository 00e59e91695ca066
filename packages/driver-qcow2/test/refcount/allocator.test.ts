/** Proves that clusters are handed out once, given back, and that a failure to give back is only a leak. */

import { expect, test } from 'vitest'
import { hostOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

async function open() {
  const file = new MemoryChild(await newImage(1024 * 1024))
  return { file, ...(await openOn(file)) }
}

const cluster = 65536
const options = { discard: 'always', unlinked: 'on-disk' } as const

test('consecutive clusters, rounded up', async () => {
  const { allocator, refcounts } = (await open()).image
  expect(await allocator.allocate(cluster + 1)).toBe(4 * cluster)
  expect([await refcounts.get(4), await refcounts.get(5), await refcounts.get(6)]).toEqual([1, 1, 0])
  expect(await allocator.allocate(1)).toBe(6 * cluster)
})

test('at a place, as many as are free', async () => {
  const { allocator } = (await open()).image
  await allocator.allocateAt(hostOffset(10 * cluster), 1)
  expect(await allocator.allocateAt(hostOffset(8 * cluster), 5)).toBe(2)
  expect(await allocator.allocateAt(hostOffset(8 * cluster), 5)).toBe(0)
})

test('what is given back is handed out again', async () => {
  const { allocator, refcounts } = (await open()).image
  const offset = await allocator.allocate(2 * cluster)
  await allocator.free(offset, 2 * cluster, options)
  expect(await refcounts.get(4)).toBe(0)
  expect(await allocator.allocate(cluster)).toBe(offset)
})

test('every cluster that a range of bytes touches', async () => {
  const { allocator, refcounts } = (await open()).image
  const offset = await allocator.allocate(3 * cluster)
  await allocator.release(hostOffset(offset + cluster - 1), cluster, options)
  await allocator.release(hostOffset(offset), 0, options)
  expect([await refcounts.get(4), await refcounts.get(5), await refcounts.get(6)]).toEqual([0, 0, 1])
})

test('a failure to free is said, not thrown', async () => {
  const { image, lines } = await open()
  await image.allocator.free(hostOffset(20 * cluster), cluster, options)
  expect(lines).toEqual(['qcow2_free_clusters failed: Invalid argument'])
  expect(await failureOf(() => image.allocator.release(hostOffset(20 * cluster), 1, options))).toBe(
    'EINVAL Invalid argument',
  )
})

test('a freed table leaves the caches, one with other owners does not', async () => {
  const { image } = await open()
  const { allocator, caches, refcounts } = image
  const offset = await allocator.allocate(cluster)
  const slot = await caches.l2Tables.load(offset)
  caches.l2Tables.markDirty(slot)
  await refcounts.increment(offset / cluster, 1)
  await allocator.freeTable(offset, options)
  expect(caches.l2Tables.isDirty).toBe(true)
  await allocator.freeTable(offset, options)
  expect(caches.l2Tables.isDirty).toBe(false)
})
