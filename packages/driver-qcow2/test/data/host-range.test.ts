/** Proves that host ranges are as long as the file allows, wait for other writers, and leave nothing behind on failure. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { HostRanges } from '../../src/data/host-range.ts'
import { guestOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open() {
  const file = new MemoryChild(await newImage(1024 * 1024 * 1024))
  const opened = await openOn(file)
  return { file, ...opened, ranges: new HostRanges(opened.image) }
}

test('new clusters in one range, linked or given back by whoever asked', async () => {
  const { image, ranges } = await open()
  const range = await ranges.take(guestOffset(512), 3 * cluster)
  expect(range).toMatchObject({ hostOffset: 5 * cluster + 512, bytes: 3 * cluster, inPlace: undefined })
  expect(range.allocations).toMatchObject([{ clusterCount: 4, keepOld: false, hostOffset: 5 * cluster }])
  expect([image.inFlight.isEmpty, await image.refcounts.get(8)]).toEqual([false, 1])
  await image.lock.run(() => ranges.abort(range.allocations))
  ranges.finish(range)
  expect([image.inFlight.isEmpty, await image.refcounts.get(8)]).toEqual([true, 0])
})

test('clusters in place, then new ones right behind them', async () => {
  const { image, ranges } = await open()
  await image.writer.write(0, filled(1, 2 * cluster))
  const range = await ranges.take(guestOffset(cluster), 3 * cluster)
  expect(range).toMatchObject({ hostOffset: 6 * cluster, bytes: 3 * cluster })
  expect(range.allocations).toMatchObject([{ guestOffset: 2 * cluster, clusterCount: 2, hostOffset: 7 * cluster }])
  expect(range.inPlace).toEqual({ start: cluster, end: 4 * cluster, allocates: false })
  ranges.finish(range)
})

test('the range ends where the next cluster lies elsewhere', async () => {
  const { image, ranges } = await open()
  await image.writer.write(cluster, filled(1, cluster))
  await image.writer.write(0, filled(1, cluster))
  expect(await ranges.take(guestOffset(0), 2 * cluster)).toMatchObject({ hostOffset: 6 * cluster, bytes: cluster })
})

test('the range ends where the host clusters behind are taken', async () => {
  const { image, ranges } = await open()
  await image.writer.write(0, filled(1, cluster))
  await image.allocator.allocateAt((6 * cluster) as never, 1)
  expect(await ranges.take(guestOffset(0), 2 * cluster)).toMatchObject({ hostOffset: 5 * cluster, bytes: cluster })
})

test('a run over two L2 tables is one range with two allocations', async () => {
  const { image, ranges } = await open()
  const end = 8192 * cluster
  await image.l2Tables.loadForUpdate(guestOffset(0))
  await image.l2Tables.loadForUpdate(guestOffset(end))
  const range = await ranges.take(guestOffset(end - cluster), 2 * cluster)
  expect([range.bytes, range.allocations.length]).toEqual([2 * cluster, 2])
  ranges.finish(range)
})

test('a cluster that is being allocated is waited for', async () => {
  const { image, ranges } = await open()
  const first = await ranges.take(guestOffset(cluster), cluster)
  // Begins before it: cut.
  const before = await ranges.take(guestOffset(0), 2 * cluster)
  expect(before.bytes).toBe(cluster)
  // Begins in it: waits.
  let second: unknown
  const waiting = ranges.take(guestOffset(cluster), cluster).then((range) => {
    second = range
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect([second, image.lock.held]).toEqual([undefined, false])
  await image.lock.run(() => image.linker.link(first.allocations[0]!))
  ranges.finish(first)
  await waiting
  expect(second).toMatchObject({ hostOffset: first.hostOffset, allocations: [] })
})

test('a failure gives back what was allocated before it', async () => {
  const { file, image, ranges } = await open()
  const end = 8192 * cluster
  await image.l2Tables.loadForUpdate(guestOffset(0))
  await image.caches.flush()
  file.fail = ({ kind }) => (kind === 'write' ? 'ENOSPC' : undefined)
  expect(await failureOf(() => ranges.take(guestOffset(end - cluster), 2 * cluster))).toBe(
    'ENOSPC No space left on device',
  )
  file.fail = () => undefined
  expect([image.inFlight.isEmpty, await image.refcounts.get(5), await image.refcounts.get(6)]).toEqual([true, 0, 0])
})

test.each([
  { high: 0x80000000, low: 5 * cluster + 512, what: 'Data' },
  { high: 0x80000000, low: 5 * cluster + 513, what: 'Preallocated zero' },
])('an unaligned cluster is corruption: $what', async ({ high, low, what }) => {
  const { image, ranges, lines } = await open()
  const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
  image.l2Tables.cache.view.setUint32(image.l2Tables.cache.start(slot), high)
  image.l2Tables.cache.view.setUint32(image.l2Tables.cache.start(slot) + 4, low)
  expect(await failureOf(() => ranges.take(guestOffset(1024), 512))).toBe('EIO Input/output error')
  expect(lines[0]).toContain(`${what} cluster offset 0x50200 unaligned (guest offset: 0x400)`)
})

test('data is never written over metadata, whatever the tables say', async () => {
  const { image, ranges, lines } = await open()
  const slot = await image.l2Tables.loadForUpdate(guestOffset(0))
  image.l2Tables.cache.view.setUint32(image.l2Tables.cache.start(slot), 0x80000000)
  image.l2Tables.cache.view.setUint32(image.l2Tables.cache.start(slot) + 4, 3 * cluster)
  expect(await failureOf(() => ranges.take(guestOffset(0), 512))).toBe('EIO Input/output error')
  expect(lines[0]).toContain('overlaps with active L1 table')
})

// Whoever waits for a cluster must hear of the end of the image, and a user must hear of its cause.
test('corruption that ends the image ends those who wait as well', async () => {
  const { image, lines, ejected } = await open()
  await image.writer.write(0, filled(1, cluster))
  // The L1 table counts as free: it is what the next write gets.
  const l1Cluster = { first: 3, clusterCount: 1, delta: -1, discard: 'never', unlinked: 'on-disk' } as const
  await image.refcounts.update(l1Cluster)
  const both = [0, 1].map(() => image.writer.write(cluster, filled(2, cluster)))
  const failures = await Promise.all(both.map((write) => failureOf(() => write)))
  expect(failures).toEqual(['EIO Input/output error', 'EIO Input/output error'])
  expect([ejected(), image.inFlight.isEmpty, image.lock.held]).toEqual([true, true, false])
  expect(lines).toEqual([
    'qcow2: Marking image as corrupt: Preventing invalid write on metadata (overlaps with active L1 table); ' +
      'further corruption events will be suppressed',
  ])
})

// Large clusters are only worth it if small writes into one of them do not queue up.
test('writers of different subclusters of an allocated cluster do not wait for each other', async () => {
  const { image, lines } = await openOn(new MemoryChild(await newImage(1024 * 1024, { extendedL2: true })))
  const ranges = new HostRanges(image)
  await image.writer.write(0, filled(1, 2048))
  const first = await ranges.take(guestOffset(4096 + 512), 512)
  const second = await ranges.take(guestOffset(8192), 2048)
  const inPlace = await ranges.take(guestOffset(512), 512)
  expect(first.allocations).toMatchObject([{ start: 4096, end: 6144, keepOld: true, hostOffset: 5 * cluster }])
  expect(second.allocations).toMatchObject([{ start: 8192, end: 10240, filled: { start: 8192, end: 10240 } }])
  expect([inPlace.allocations, inPlace.hostOffset]).toEqual([[], 5 * cluster + 512])
  // The same subcluster: waits.
  let third: unknown
  const waiting = ranges.take(guestOffset(5120), 512).then((range) => {
    third = range
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(third).toBe(undefined)
  // Linked in the other order: each sets its own bits alone.
  await image.lock.run(() => image.linker.link(second.allocations[0]!))
  await image.lock.run(() => image.linker.link(first.allocations[0]!))
  for (const range of [first, second, inPlace]) ranges.finish(range)
  await waiting
  expect(third).toMatchObject({ allocations: [], hostOffset: 5 * cluster + 5120 })
  const { view } = image.l2Tables.cache
  const position = image.l2Tables.entryPosition(await image.l2Tables.loadForUpdate(guestOffset(0)), guestOffset(0))
  expect([view.getUint32(position + 8), view.getUint32(position + 12), lines]).toEqual([0, 0b10101, []])
})
