/** Proves that an open node does what its rooms offer, and says what it is. */

import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { hostOffset } from '../src/format/geometry.ts'
import { Qcow2Layer } from '../src/qcow2-layer.ts'
import { KiB, MiB, newImage, openDisk, readAll } from './helpers/disk.ts'
import { MemoryChild } from './helpers/memory-child.ts'
import { openOn } from './helpers/open-on.ts'

async function layerOf(options = {}, backing?: { filename: string; format: string | undefined }) {
  const file = new MemoryChild(await newImage(MiB, options, backing))
  const { image } = await openOn(file)
  return { file, image, layer: new Qcow2Layer(image) }
}

test('limits and capabilities', async () => {
  const { layer } = await layerOf()
  expect([layer.length, layer.limits]).toEqual([MiB, { zeroAlignment: 65536, discardAlignment: 65536 }])
  expect(layer.writer.zeroFlags).toEqual({ mayUnmap: true, noFallback: true })
  expect((await layerOf({ compat: '0.10' })).layer.writer.zeroFlags).toEqual({ mayUnmap: false, noFallback: false })
})

test('the backing file as recorded', async () => {
  const backing = { filename: 'base', format: 'qcow2' }
  expect((await layerOf({}, backing)).layer.backingReference()).toEqual(backing)
  expect((await layerOf()).layer.backingReference()).toBeUndefined()
})

test('a new image reads as zeroes; one with tables as far as its file does', async () => {
  const { file, image, layer } = await layerOf()
  expect(await layer.hasZeroInit()).toBe(true)
  await image.writer.write(0, filled(1, 65536))
  file.hasZeroInit = async () => true
  expect(await layer.hasZeroInit()).toBe(true)
  file.hasZeroInit = async () => false
  expect(await layer.hasZeroInit()).toBe(false)
})

test('a flush hands freed clusters out again', async () => {
  const { image, layer } = await layerOf({ lazyRefcounts: true })
  await layer.writer.write(0, filled(1, 65536), { fua: false })
  await layer.writer.discard?.(0, 65536)
  expect(image.freed.isEmpty).toBe(false)
  await layer.flushToOs()
  expect(image.freed.isEmpty).toBe(true)
})

test('through a graph: write, empty, check', async () => {
  const backing = new MemoryStore(await newImage(MiB))
  const store = new MemoryStore(await newImage(MiB))
  await using opened = await openDisk(store, { backing })
  await opened.disk.write(100 * KiB, filled(5, 300 * KiB))
  expect((await readAll(opened.disk))[100 * KiB]).toBe(5)
  await opened.disk.makeEmpty()
  expect((await readAll(opened.disk)).some((byte) => byte !== 0)).toBe(false)
  expect(await opened.disk.check()).toMatchObject({ corruptions: 0, leaks: 0, clusters: { allocated: 0 } })
  expect(store.length).toBe(4 * 65536)
})

test('an image cut off in the middle of emptying is ejected, and says so to later requests', async () => {
  const { file, image, layer } = await layerOf()
  await layer.writer.write(0, filled(1, 65536), { fua: false })
  file.fail = ({ kind }) => (kind === 'zero' ? 'EIO' : undefined)
  await expect(layer.maintenance.makeEmpty?.()).rejects.toThrow('Input/output error')
  expect(image.file.ejected).toBe(true)
  file.fail = () => undefined
  await expect(layer.read(0, new Uint8Array(512))).rejects.toThrow('No medium found')
})

// Counts that have just been made anew cannot say so; the reference ends its process where they do.
test('an image whose first cluster is in use when it has been emptied is ejected, and stays dirty', async () => {
  const { image, layer, file } = await layerOf()
  image.allocator.allocate = async () => hostOffset(65536)
  await expect(layer.maintenance.makeEmpty?.()).rejects.toThrow('the first cluster of an emptied image is in use')
  expect([image.file.ejected, file.content[79]]).toEqual([true, 1])
})
