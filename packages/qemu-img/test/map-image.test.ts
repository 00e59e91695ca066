// Proves that the map of a disk covers it without gaps, that it merges what is of one kind and of one piece and nothing
// else, and that it can be cut, told otherwise, and stopped.

import { expect, test } from 'vitest'
import { continuesExtent, continuesPlace, type MapExtent, type MapOptions, mapImage } from '../src/map-image.ts'
import { filled, kib, type MemoryImages, memoryImages, mib } from './support/images.ts'

/** A chain of two with data in both: at 0 and 128 KiB in the base, at 64 KiB and behind it in the overlay. */
async function mapped(images: MemoryImages, options?: MapOptions): Promise<MapExtent[]> {
  await images.make('base', 'qcow2', mib, { 0: filled(64 * kib, 1), [128 * kib]: filled(64 * kib, 2) })
  await images.graph.create('qcow2', 'mem:top', { backing: { filename: 'mem:base', format: 'qcow2' } })
  const top = await images.open('top', 'qcow2', { writable: true })
  await top.write(64 * kib, filled(64 * kib, 3))
  const extents: MapExtent[] = []
  for await (const extent of mapImage(top, options)) extents.push(extent)
  return extents
}

test('each range says where it comes from', async () => {
  await using images = memoryImages()
  const extents = await mapped(images)
  const told = extents.map(({ start, bytes, depth, data, filename }) => [
    start / kib,
    bytes / kib,
    depth,
    data,
    filename,
  ])
  expect(told).toEqual([
    [0, 64, 1, true, 'mem:base'],
    [64, 64, 0, true, 'mem:top'],
    [128, 64, 1, true, 'mem:base'],
    [192, 832, 1, false, ''],
  ])
  expect(extents.map(({ present }) => present)).toEqual([true, true, true, false])
})

test('a part of it', async () => {
  await using images = memoryImages()
  const [extent, ...more] = await mapped(images, { start: 65 * kib, bytes: 2 * kib })
  expect(more).toEqual([])
  expect(extent).toMatchObject({ start: 65 * kib, bytes: 2 * kib, depth: 0 })
})

test('what is taken together may be told', async () => {
  await using images = memoryImages()
  const extents = await mapped(images, { continues: (a, b) => a.data === b.data })
  expect(extents.map(({ start, bytes }) => [start / kib, bytes / kib])).toEqual([
    [0, 192],
    [192, 832],
  ])
})

test('neighbours are one only where nothing but the offset differs', () => {
  const one: MapExtent = {
    start: 0,
    bytes: 512,
    depth: 0,
    present: true,
    zero: false,
    data: true,
    compressed: false,
    hostOffset: 4096,
    filename: 'a',
  }
  const next = { ...one, start: 512, hostOffset: 4608 }
  expect(continuesExtent(one, next)).toBe(true)
  const others = [{ depth: 1 }, { zero: true }, { data: false }, { present: false }, { compressed: true }]
  for (const other of others) expect(continuesExtent(one, { ...next, ...other })).toBe(false)
  for (const place of [{ hostOffset: 4096 }, { filename: 'b' }, { hostOffset: undefined }]) {
    expect(continuesPlace(one, { ...next, ...place })).toBe(false)
  }
  const nowhere = { ...one, hostOffset: undefined }
  expect(continuesPlace(nowhere, { ...nowhere, filename: 'b' })).toBe(true)
})

test('metadata that cannot be read ends it', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(kib, 1) })
  const disk = await images.open('disk', 'qcow2')
  images.store('disk').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await expect(mapImage(disk).next()).rejects.toMatchObject({
    code: 'EIO',
    message: expect.stringMatching(/^Could not read file metadata: /),
  })
})

test('it can be stopped', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(kib, 1) })
  const disk = await images.open('disk', 'qcow2')
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(mapImage(disk, { signal }).next()).rejects.toThrow('enough')
})

test('how far it is, is told in bytes of the range', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { [128 * kib]: filled(kib, 1) })
  const disk = await images.open('disk', 'qcow2')
  const told: { current: number; total: number }[] = []
  const options = {
    start: 64 * kib,
    bytes: 2 * mib,
    onProgress: (progress: (typeof told)[number]) => told.push(progress),
  }
  for await (const { bytes } of mapImage(disk, options)) expect(bytes).toBeGreaterThan(0)
  expect(told[0]).toEqual({ current: 64 * kib, total: mib - 64 * kib })
  expect(told.at(-1)).toEqual({ current: mib - 64 * kib, total: mib - 64 * kib })
})
