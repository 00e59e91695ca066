/** Proves which entries zero writes leave, with and without giving up clusters. */

import { describe, expect, test } from 'vitest'
import { guestOffset } from '../../src/format/geometry.ts'
import type { Zeroizer } from '../../src/mapping/zeroize.ts'
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

describe('subclusters', () => {
  const KiB = 1024
  const copied = 0x80000000

  /** An image with these extended entries. @returns the words of all of them after `change` */
  async function zeroized(
    entries: readonly (readonly [number, number, number, number])[],
    change: (zeroizer: Zeroizer) => Promise<void>,
  ): Promise<number[][]> {
    const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024, { extendedL2: true })))
    await image.refcounts.increment(20, 4)
    const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
    const { view } = image.l2Tables.cache
    const start = image.l2Tables.cache.start(slot)
    entries.flat().forEach((word, index) => void view.setUint32(start + index * 4, word))
    await change(image.zeroizer)
    return entries.map((_, index) => [0, 4, 8, 12].map((at) => view.getUint32(start + index * 16 + at)))
  }

  const data = [copied, 20 * cluster, 0, 0xffffffff] as const
  const nothing = [0, 0, 0, 0] as const
  const compressed = [0x40000000, 22 * cluster, 0, 0] as const

  test('parts of clusters by bits alone, whole clusters as a whole', async () => {
    const all = [data, nothing, data, nothing]
    const zeroize = (mayUnmap: boolean) => (zeroizer: Zeroizer) =>
      zeroizer.zeroize(guestOffset(62 * KiB), 136 * KiB, { mayUnmap })
    const head = [copied, 20 * cluster, 0x80000000, 0x7fffffff]
    const tail = [0, 0, 0b111, 0]
    const zero = [0, 0, 0xffffffff, 0]
    expect(await zeroized(all, zeroize(true))).toEqual([head, zero, zero, tail])
    expect(await zeroized(all, zeroize(false))).toEqual([head, zero, [copied, 20 * cluster, 0xffffffff, 0], tail])
  })

  test('inside one cluster, and to the end of the disk', async () => {
    const inside = (zeroizer: Zeroizer): Promise<void> =>
      zeroizer.zeroize(guestOffset(4 * KiB), 6 * KiB, { mayUnmap: true })
    expect(await zeroized([data], inside)).toEqual([[copied, 20 * cluster, 0b11100, 0xffffffe3]])
    const toEnd = (zeroizer: Zeroizer): Promise<void> =>
      zeroizer.zeroize(guestOffset(0), 10 * KiB + 512, { mayUnmap: false, toDiskEnd: true })
    expect(await zeroized([nothing], toEnd)).toEqual([[0, 0, 0xffffffff, 0]])
  })

  test('a compressed cluster has no parts', async () => {
    const part = (zeroizer: Zeroizer): Promise<void> => zeroizer.zeroize(guestOffset(0), 2 * KiB, { mayUnmap: false })
    expect(await failureOf(() => zeroized([compressed], part))).toBe('ENOTSUP Operation not supported')
    const whole = (zeroizer: Zeroizer): Promise<void> => zeroizer.zeroize(guestOffset(0), cluster, { mayUnmap: false })
    expect(await zeroized([compressed], whole)).toEqual([[0, 0, 0xffffffff, 0]])
  })
})
