// Proves which blocks dd copies, that all of them are data, and what it says where it cannot.

import { BlockError, createBlockGraph } from '@blocklayer/block-core'
import { defineDriver } from '@blocklayer/block-core/driver'
import { MemoryFiles, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { expect, test, vi } from 'vitest'
import { ddImage } from '../src/dd-image.ts'
import { contentOf, filled, kib, memoryImages, mib } from './support/images.ts'

const data = { 0: filled(512, 1), 512: filled(512, 2), 1024: filled(512, 3) }

test.each([
  ['all of it', {}, [1, 2, 3]],
  ['from a block on', { skip: 1 }, [2, 3]],
  ['up to a block, skipped ones included', { skip: 1, count: 2 }, [2]],
  ['in blocks of another size', { blockBytes: 1024n, skip: 1n, count: 2n ** 62n }, [3]],
])('%s', async (_, options, sectors) => {
  await using images = memoryImages()
  await images.make('source', 'raw', 1536, data)
  const source = await images.open('source', 'raw')
  const result = await ddImage(images.graph, source, { filename: 'mem:copy' }, options)
  expect(result).toEqual({ bytes: 512 * sectors.length, isPastEnd: false })
  const copy = await contentOf(await images.open('copy', 'raw'))
  expect(sectors.map((_value, i) => copy[512 * i])).toEqual(sectors)
})

test('zeroes are data', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', 3 * mib)
  const source = await images.open('source', 'raw')
  const onProgress = vi.fn()
  await ddImage(images.graph, source, { filename: 'mem:copy', format: 'qcow2' }, { onProgress })
  expect(onProgress).toHaveBeenCalledTimes(3)
  expect(onProgress).toHaveBeenLastCalledWith({ current: 3 * mib, total: 3 * mib })
  expect(images.files.openNodes).toBe(1)
  const copy = await images.open('copy', 'qcow2')
  expect(await copy.isAllocated(0, 3 * mib)).toEqual({ allocated: true, bytes: 3 * mib })
})

test('skipping more than there is leaves an empty image', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', kib)
  const source = await images.open('source', 'raw')
  const skip = 3
  expect(await ddImage(images.graph, source, { filename: 'mem:copy' }, { skip })).toEqual({ bytes: 0, isPastEnd: true })
  expect(images.store('copy').length).toBe(0)
})

test('each stage names itself', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', 1536, data)
  const source = await images.open('source', 'raw')
  const { graph } = images
  await expect(ddImage(graph, source, { filename: 'mem:copy', format: 'vmdk' })).rejects.toMatchObject({
    code: 'EINVAL',
    message: 'Unknown file format',
  })
  await expect(
    ddImage(graph, source, { filename: 'mem:copy', open: () => Promise.reject(new Error('ready?')) }),
  ).rejects.toThrow('ready?')
  images.store('source').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await expect(ddImage(graph, source, { filename: 'mem:copy' })).rejects.toMatchObject({
    code: 'EIO',
    message: 'error while reading from input image file: Input/output error',
  })
  const open = async () => {
    images.store('copy').arm({ index: 0, code: 'ENOSPC', kinds: ['write'] })
    return await images.open('copy', 'raw', { writable: true })
  }
  await expect(ddImage(graph, source, { filename: 'mem:copy', open })).rejects.toMatchObject({
    code: 'ENOSPC',
    message: 'error while writing to output image file: No space left on device',
  })
})

test('a creation that fails names the target', async () => {
  const failing = defineDriver<Record<string, never>, { readonly size?: number }>({
    formatName: 'failing',
    kind: 'format',
    options: {},
    create: {
      options: { size: { name: 'size', type: 'size', help: 'Virtual disk size' } },
      run: () => Promise.reject(BlockError.fromErrno('ENOSPC')),
    },
    open: () => Promise.reject(BlockError.fromErrno('ENOENT')),
  })
  const files = new MemoryFiles()
  await using graph = createBlockGraph({ drivers: [files.driver, failing], implicitOpen: 'deny' })
  await using source = await graph.open(memory(new MemoryStore(kib)))
  await expect(ddImage(graph, source, { filename: 'mem:copy', format: 'failing' })).rejects.toMatchObject({
    code: 'ENOSPC',
    message: 'mem:copy: error while creating output image: No space left on device',
  })
})

test('an image that cannot be opened again names itself', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', kib)
  const source = await images.open('source', 'raw')
  const unopened = defineDriver<Record<string, never>, { readonly size?: number }>({
    formatName: 'unopened',
    kind: 'format',
    options: {},
    create: {
      options: { size: { name: 'size', type: 'size', help: 'Virtual disk size' } },
      run: async (context) => void (await context.file()),
    },
    open: () => Promise.reject(BlockError.fromErrno('EACCES')),
  })
  await using graph = createBlockGraph({ drivers: [images.files.driver, unopened], implicitOpen: 'deny' })
  await expect(ddImage(graph, source, { filename: 'mem:copy', format: 'unopened' })).rejects.toThrow(
    "Could not open 'mem:copy': Permission denied",
  )
})

test('it can be stopped', async () => {
  await using images = memoryImages()
  await images.make('source', 'raw', 3 * mib)
  const source = await images.open('source', 'raw')
  const stop = new AbortController()
  const onProgress = (): void => stop.abort(new Error('enough'))
  const options = { signal: stop.signal, onProgress }
  await expect(ddImage(images.graph, source, { filename: 'mem:copy' }, options)).rejects.toThrow('enough')
  expect(images.files.openNodes).toBe(1)
})
