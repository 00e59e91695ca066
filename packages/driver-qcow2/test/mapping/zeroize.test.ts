/** Proves which entries zero writes leave, with and without giving up clusters. */

import { describe, expect, test } from 'vitest'
import { guestOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536
const copied = 0x80000000

const entries = [
  [0, 0],
  [0, 1],
  [copied, 20 * cluster + 1],
  [copied, 21 * cluster],
  [0x40000000, 22 * cluster],
  [0, 23 * cluster],
] as const

describe.each([
  {
    mayUnmap: false,
    after: [
      [0, 1],
      [0, 1],
      [copied, 20 * cluster + 1],
      [copied, 21 * cluster + 1],
      [0, 1],
      [0, 23 * cluster + 1],
    ],
    counts: [1, 1, 0, 1],
  },
  {
    mayUnmap: true,
    after: [
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ],
    counts: [0, 0, 0, 0],
  },
])('mayUnmap $mayUnmap', ({ mayUnmap, after, counts }) => {
  test('entries and references', async () => {
    const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
    await image.refcounts.increment(20, 4)
    const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
    const { view } = image.l2Tables.cache
    const start = image.l2Tables.cache.start(slot)
    entries.forEach(([high, low], index) => {
      view.setUint32(start + index * 8, high)
      view.setUint32(start + index * 8 + 4, low)
    })
    await image.zeroizer.zeroize(guestOffset(0), entries.length * cluster, { mayUnmap })
    expect(after.map((_, index) => [view.getUint32(start + index * 8), view.getUint32(start + index * 8 + 4)])).toEqual(
      after,
    )
    expect(await Promise.all([20, 21, 22, 23].map((number) => image.refcounts.get(number)))).toEqual(counts)
  })
})

test('nothing is written where all is zero already', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
  await image.zeroizer.zeroize(guestOffset(0), 1024 * 1024, { mayUnmap: false })
  await image.caches.flush()
  await image.zeroizer.zeroize(guestOffset(0), 1024 * 1024, { mayUnmap: true })
  expect(image.caches.l2Tables.isDirty).toBe(false)
})

test('version 2 knows no zero clusters: unmapped without a backing file, refused over one', async () => {
  const content = await newImage(1024 * 1024, { compat: '0.10' })
  const { image } = await openOn(new MemoryChild(content))
  await image.writer.write(0, new Uint8Array(cluster).fill(1))
  await image.zeroizer.zeroize(guestOffset(0), cluster, { mayUnmap: false })
  expect(await image.lookup.find(guestOffset(0), 1)).toMatchObject({ type: 'unallocated' })
  const over = await openOn(new MemoryChild(content), { backing: new MemoryChild(new Uint8Array(512)) })
  expect(await failureOf(() => over.image.zeroizer.zeroize(guestOffset(0), cluster, { mayUnmap: false }))).toBe(
    'ENOTSUP Operation not supported',
  )
})
