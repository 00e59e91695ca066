/** Proves what unmapping leaves behind, for every type of cluster, both versions, with and without a backing file. */

import { describe, expect, test } from 'vitest'
import { guestOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

const cluster = 65536
const copied = 0x80000000

/** One entry of each type, in clusters 20 and up where they have any. */
const entries = {
  unallocated: [0, 0],
  zeroPlain: [0, 1],
  zeroAlloc: [copied, 20 * cluster + 1],
  normal: [copied, 21 * cluster],
  compressed: [0x40000000, 22 * cluster],
} as const

async function open(compat: string, backing: boolean) {
  const file = new MemoryChild(await newImage(1024 * 1024 * 1024, { compat }))
  const opened = await openOn(file, backing ? { backing: new MemoryChild(new Uint8Array(512)) } : {})
  const { image } = opened
  await image.refcounts.increment(20, 3)
  return { file, ...opened }
}

describe.each([
  { compat: '1.1', backing: false, full: false, after: [0, 1, 1, 1, 1] },
  { compat: '1.1', backing: true, full: false, after: [1, 1, 1, 1, 1] },
  { compat: '1.1', backing: true, full: true, after: [0, 0, 0, 0, 0] },
  { compat: '0.10', backing: false, full: false, after: [0, 0, 0] },
  { compat: '0.10', backing: true, full: true, after: [0, 0, 0] },
])('compat=$compat, backing $backing, full $full', ({ compat, backing, full, after }) => {
  test('entries and references', async () => {
    const { image } = await open(compat, backing)
    const { l2Tables } = image
    const slot = await l2Tables.loadForUpdate(guestOffset(0))
    const { view } = l2Tables.cache
    const start = l2Tables.cache.start(slot)
    const kinds = compat === '1.1' ? Object.values(entries) : [entries.unallocated, entries.normal, entries.compressed]
    kinds.forEach(([high, low], index) => {
      view.setUint32(start + index * 8, high)
      view.setUint32(start + index * 8 + 4, low)
    })
    await image.unmapper.unmap(guestOffset(0), kinds.length * cluster, { discard: 'request', full })
    const found = kinds.map((_, index) => [view.getUint32(start + index * 8), view.getUint32(start + index * 8 + 4)])
    expect(found).toEqual(after.map((low) => [0, low]))
    const counts = await Promise.all([20, 21, 22].map((number) => image.refcounts.get(number)))
    expect(counts).toEqual(compat === '1.1' ? [0, 0, 0] : [1, 0, 0])
  })
})

// The reference gives the first cluster of a data file such an entry when it is zeroed.
test.each([0, 1])('an entry of offset 0 with COPIED and %i in its lower half stays as it is', async (low) => {
  const { image } = await open('1.1', false)
  const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
  const { view } = image.l2Tables.cache
  const start = image.l2Tables.cache.start(slot)
  view.setUint32(start, copied)
  view.setUint32(start + 4, low)
  await image.unmapper.unmap(guestOffset(0), cluster, { discard: 'request', full: false })
  expect([view.getUint32(start), view.getUint32(start + 4)]).toEqual([copied, low])
})

test('no table is made where none is needed', async () => {
  const { image } = await open('1.1', false)
  await image.unmapper.unmap(guestOffset(0), 1024 * 1024 * 1024, { discard: 'request', full: false })
  expect([image.l1.offsetOf(0), image.l1.offsetOf(1)]).toEqual([0, 0])
  const over = (await open('1.1', true)).image
  await over.unmapper.unmap(guestOffset(0), 1024 * 1024 * 1024, { discard: 'snapshot', full: true })
  expect(over.l1.offsetOf(0)).toBe(0)
  await over.unmapper.unmap(guestOffset(0), cluster, { discard: 'request', full: false })
  expect(over.l1.offsetOf(0)).not.toBe(0)
})

test('a range over several slices, to the end of the disk', async () => {
  const { image } = await open('1.1', false)
  const end = 1024 * 1024 * 1024
  await image.writer.write(end - cluster, new Uint8Array(cluster).fill(1))
  await image.writer.write(0, new Uint8Array(cluster).fill(1))
  await image.unmapper.unmap(guestOffset(0), end, { discard: 'request', full: true })
  expect(await image.lookup.find(guestOffset(0), 1)).toMatchObject({ type: 'unallocated' })
  expect(await image.lookup.find(guestOffset(end - 1), 1)).toMatchObject({ type: 'unallocated' })
})

describe('subclusters', () => {
  const kinds = [
    { what: 'nothing', entry: [0, 0, 0, 0] },
    { what: 'some zeroes', entry: [0, 0, 0b110, 0] },
    { what: 'reserved space', entry: [copied, 20 * cluster, 0, 0] },
    { what: 'data and zeroes', entry: [copied, 21 * cluster, 0b110, 0b1001] },
    { what: 'compressed', entry: [0x40000000, 22 * cluster, 0, 0] },
  ] as const
  const zero = [0, 0, 0xffffffff, 0]
  const none = [0, 0, 0, 0]

  test.each([
    { backing: false, full: false, after: [none, [0, 0, 0b110, 0], zero, zero, zero] },
    { backing: true, full: false, after: [zero, zero, zero, zero, zero] },
    { backing: true, full: true, after: [none, none, none, none, none] },
  ])('backing $backing, full $full', async ({ backing, full, after }) => {
    const file = new MemoryChild(await newImage(1024 * 1024 * 1024, { extendedL2: true }))
    const { image } = await openOn(file, backing ? { backing: new MemoryChild(new Uint8Array(512)) } : {})
    await image.refcounts.increment(20, 3)
    const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
    const { view } = image.l2Tables.cache
    const start = image.l2Tables.cache.start(slot)
    kinds.flatMap(({ entry }) => entry).forEach((word, index) => void view.setUint32(start + index * 4, word))
    await image.unmapper.unmap(guestOffset(0), kinds.length * cluster, { discard: 'request', full })
    const found = kinds.map((_, index) => [0, 4, 8, 12].map((at) => view.getUint32(start + index * 16 + at)))
    expect(found).toEqual(after)
    expect(await Promise.all([20, 21, 22].map((number) => image.refcounts.get(number)))).toEqual([0, 0, 0])
  })
})
