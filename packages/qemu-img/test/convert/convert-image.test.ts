// Proves that a conversion gives an image of the same content in another format, over a backing file, from several
// sources, into an image that exists, with bitmaps; and that what cannot be is refused before there is a target.

import { changeDirtyBitmap, dirtyBitmapFacts } from '@blocklayer/block-core'
import { expect, test, vi } from 'vitest'
import { type ConvertOptions, convertImage } from '../../src/convert/convert-image.ts'
import { compareDisks } from '../../src/compare-disks.ts'
import { contentOf, filled, kib, memoryImages, mib } from '../support/images.ts'

const data = { 0: filled(64 * kib, 1), [3 * mib]: filled(70 * kib, 2) }

test.each<[string, ConvertOptions]>([
  ['raw', {}],
  ['qcow2', {}],
  ['qcow2', { compress: true, workers: 3 }],
  ['qcow2', { sparseBytes: 0, inOrder: false }],
])('into %s with %j', async (format, options) => {
  await using images = memoryImages()
  await images.make('source', 'qcow2', 4 * mib, data)
  const source = await images.open('source', 'qcow2')
  const onProgress = vi.fn()
  const target = { filename: 'mem:target', format }
  await convertImage(images.graph, source, target, { ...options, onProgress, countFirst: true })
  // What was counted beforehand is the measure: bytes of data, or of everything where zeroes are written.
  const total = options.sparseBytes === 0 ? 4 * mib : (64 + 128) * kib
  expect(onProgress).toHaveBeenLastCalledWith({ current: total, total })
  // Only the source is open any more.
  expect(images.files.openNodes).toBe(1)
  const copy = await images.open('target', format)
  expect(await compareDisks(source, copy)).toEqual({ kind: 'identical' })
  expect((await copy.isAllocated(mib, 512)).allocated).toBe(options.sparseBytes === 0 || format === 'raw')
})

test('several sources, one behind the other', async () => {
  await using images = memoryImages()
  await images.make('a', 'raw', 64 * kib, { 0: filled(64 * kib, 1) })
  await images.make('b', 'qcow2', mib, { 0: filled(512, 2) })
  const sources = [await images.open('a', 'raw'), await images.open('b', 'qcow2')]
  await convertImage(images.graph, sources, { filename: 'mem:both', format: 'qcow2' })
  const both = await contentOf(await images.open('both', 'qcow2'))
  expect(both).toHaveLength(mib + 64 * kib)
  expect([both[64 * kib - 1], both[64 * kib], both[64 * kib + 512]]).toEqual([1, 2, 0])
})

test('over a backing file only the difference is copied', async () => {
  await using images = memoryImages()
  const backing = { filename: 'mem:base', format: 'qcow2' }
  await images.make('base', 'qcow2', mib, { 0: filled(mib, 1) })
  await images.graph.create('qcow2', 'mem:top', { backing })
  const top = await images.open('top', 'qcow2', { writable: true })
  await top.write(0, filled(512, 2))
  await convertImage(images.graph, top, { filename: 'mem:copy', format: 'qcow2', backing })
  const copy = await images.open('copy', 'qcow2')
  expect(await compareDisks(top, copy)).toEqual({ kind: 'identical' })
  expect(await copy.isAllocated(0, mib)).toEqual({ allocated: true, bytes: 64 * kib })
})

test('into an image that exists', async () => {
  await using images = memoryImages()
  await images.make('source', 'qcow2', mib, { 0: filled(512, 7) })
  await images.make('target', 'raw', 2 * mib, { 0: filled(2 * mib, 9) })
  const [source, target] = [
    await images.open('source', 'qcow2'),
    await images.open('target', 'raw', { writable: true }),
  ]
  await convertImage(images.graph, source, { disk: target })
  const content = await contentOf(target)
  expect([content[0], content[512], content[mib - 1], content[mib]]).toEqual([7, 0, 0, 9])
  // Who says that it is zero is believed.
  await target.write(0, filled(mib, 5))
  await convertImage(images.graph, source, { disk: async () => target, isZero: true })
  expect((await contentOf(target))[64 * kib]).toBe(5)
})

test('bitmaps come along', async () => {
  await using images = memoryImages()
  await images.make('source', 'qcow2', mib, { 0: filled(512, 7) })
  const source = await images.open('source', 'qcow2', { writable: true })
  await changeDirtyBitmap(source.root, { type: 'add', name: 'b0', persistent: true })
  await convertImage(images.graph, source, { filename: 'mem:copy', format: 'qcow2' }, { bitmaps: 'all' })
  const copy = await images.open('copy', 'qcow2')
  expect(dirtyBitmapFacts(copy.root).map(({ name }) => name)).toEqual(['b0'])
})

test('what cannot be is refused', async () => {
  await using images = memoryImages()
  await images.make('source', 'qcow2', mib)
  await images.make('small', 'raw', 64 * kib)
  const source = await images.open('source', 'qcow2')
  const small = await images.open('small', 'raw', { writable: true })
  const target = { filename: 'mem:new', format: 'raw' }
  const { graph } = images
  await expect(convertImage(graph, [], target)).rejects.toThrow('nothing to convert')
  await expect(convertImage(graph, source, { disk: small })).rejects.toThrow('output file is smaller than input file')
  await expect(convertImage(graph, source, { disk: small }, { compress: true })).rejects.toThrow(
    'Compression not supported for this file format',
  )
  await expect(convertImage(graph, [source, small], target, { bitmaps: 'all' })).rejects.toThrow(
    'Copying bitmaps only possible with single source',
  )
  expect(images.files.stores.has('new')).toBe(false)
  // The format can only be asked when there is an image of it.
  await expect(convertImage(graph, source, target, { bitmaps: 'usable' })).rejects.toThrow(
    "Format driver 'raw' does not support bitmaps",
  )
})

test('what cannot be read is told and passed over', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', 64 * kib, { 0: filled(64 * kib, 1) })
  const source = await images.open('source', 'raw')
  images.store('source').arm({ index: 0, code: 'EIO', kinds: ['read'], forGood: true })
  const onWarning = vi.fn()
  const target = { filename: 'mem:copy', format: 'raw' }
  await convertImage(images.graph, source, target, { salvage: true, onWarning })
  expect(onWarning).toHaveBeenCalledTimes(128)
  expect(onWarning).toHaveBeenCalledWith({
    kind: 'unreadable',
    offset: 512,
    message: 'error while reading offset 512: Input/output error',
  })
})

test('a failed or stopped conversion closes its target', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', 64 * kib, { 0: filled(64 * kib, 1) })
  const source = await images.open('source', 'raw')
  const target = { filename: 'mem:copy', format: 'qcow2' }
  const reason = new Error('enough')
  const stopped = convertImage(images.graph, source, target, { signal: AbortSignal.abort(reason) })
  await expect(stopped).rejects.toBe(reason)
  images.store('source').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await expect(convertImage(images.graph, source, target)).rejects.toThrow('error while reading at byte 0')
  expect(images.files.openNodes).toBe(1)
})
