// Proves what an image and its chain say about themselves, that a chain is followed one image at a time, and where it
// cannot be followed.

import { createSnapshot } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { chainInfo, imageInfo, type ImageInfo, walkChain } from '../src/image-info.ts'
import { kib, memoryImages, mib } from './support/images.ts'

const backing = { filename: 'mem:base', format: 'raw' }

test('an image', async () => {
  await using images = memoryImages()
  await images.make('base', 'raw', mib)
  await images.graph.create('qcow2', 'mem:top', { backing, options: { cluster_size: 4096 } })
  const top = await images.open('top', 'qcow2', { writable: true })
  await createSnapshot(top, { name: 'before' })
  const info = await imageInfo(top)
  expect(info).toMatchObject({
    filename: 'mem:top',
    format: 'qcow2',
    virtualSize: mib,
    encrypted: false,
    clusterSize: 4 * kib,
    dirty: false,
    backingFilename: 'mem:base',
    backingFormat: 'raw',
    fullBackingFilename: 'mem:base',
    specific: { type: 'qcow2', data: { compat: '1.1' } },
  })
  expect(info.snapshots.map(({ name }) => name)).toEqual(['before'])
  expect(info).not.toHaveProperty('children')
})

test('the nodes below it', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const { children } = await imageInfo(await images.open('disk', 'qcow2'), { children: true })
  expect(children).toHaveLength(1)
  expect(children?.[0]).toMatchObject({
    name: 'file',
    isProtocol: true,
    info: { filename: 'mem:disk', specific: { type: 'mem' }, children: [] },
  })
})

test('what each node asks of requests', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2')
  const { limits, children } = await imageInfo(disk, { children: true, limits: true })
  expect(limits).toMatchObject({ 'discard-alignment': 64 * kib })
  expect(children?.[0]?.info.limits).toEqual({ 'request-alignment': 1 })
  expect((await imageInfo(disk, { children: true })).children?.[0]?.info).not.toHaveProperty('limits')
})

test('a chain, one image at a time', async () => {
  await using images = memoryImages()
  await images.make('base', 'raw', mib)
  await images.graph.create('qcow2', 'mem:top', { backing })
  const infos = await chainInfo(images.graph, 'mem:top', { forceShare: true })
  expect(infos.map(({ filename, format }) => [filename, format])).toEqual([
    ['mem:top', 'qcow2'],
    ['mem:base', 'raw'],
  ])
  expect(images.files.openNodes).toBe(0)
})

test('a chain through a missing image fails there', async () => {
  await using images = memoryImages()
  await images.graph.create('qcow2', 'mem:top', { backing, size: mib, unsafeBacking: true })
  await expect(chainInfo(images.graph, 'mem:top', { format: 'qcow2' })).rejects.toThrow("Could not open 'mem:base': ")
  expect(images.files.openNodes).toBe(0)
})

test('a chain that bites its tail', async () => {
  await using images = memoryImages()
  await images.graph.create('qcow2', 'mem:base', { size: mib })
  const base = await images.open('base', 'qcow2')
  const plain = await imageInfo(base)
  const read = async ({ filename }: { filename: string }): Promise<ImageInfo> => ({
    ...plain,
    backingFilename: filename === 'a' ? 'b' : 'a',
    fullBackingFilename: filename === 'a' ? 'b' : 'a',
  })
  await expect(walkChain({ filename: 'a' }, read)).rejects.toMatchObject({
    code: 'ELOOP',
    message: "Backing file 'a' creates an infinite loop.",
  })
  const lost = { ...plain, backingFilename: 'c' }
  await expect(walkChain({ filename: 'a' }, async () => lost)).rejects.toMatchObject({
    code: 'EINVAL',
    message: "Could not determine absolute backing filename, but backing filename 'c' present",
  })
})

test('it can be stopped', async () => {
  await using images = memoryImages()
  await images.make('disk', 'raw', mib)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(chainInfo(images.graph, 'mem:disk', { signal })).rejects.toThrow('enough')
})
