// Proves that a check gives a verdict, that what was mended is looked at again, and what a check that cannot be done says.

import { expect, test, vi } from 'vitest'
import { checkImage } from '../src/check-image.ts'
import { filled, kib, type MemoryImages, memoryImages, mib } from './support/images.ts'

/** A disk with 64 KiB of data that its first level no longer leads to: its cluster and the table above it are leaked. */
async function leaky(images: MemoryImages): Promise<void> {
  await images.make('disk', 'qcow2', mib, { 0: filled(64 * kib, 1) })
  const store = images.store('disk')
  const header = new DataView(store.bytes().buffer)
  store.write(header.getUint32(44), new Uint8Array(8))
}

test('a clean image', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(64 * kib, 1) })
  const report = await checkImage(await images.graph.open('mem:disk', { format: 'qcow2', readOnly: true, check: true }))
  expect(report).toMatchObject({ verdict: 'clean', leaks: 0, corruptions: 0, checkErrors: 0 })
  expect(report.clusters).toMatchObject({ total: 16, allocated: 1 })
})

test('leaks are found, and mended where that is asked for', async () => {
  await using images = memoryImages()
  await leaky(images)
  const disk = await images.graph.open('mem:disk', { format: 'qcow2', check: true })
  expect(await checkImage(disk)).toMatchObject({ verdict: 'leaks', leaks: 2, leaksFixed: 0 })
  const onRepaired = vi.fn()
  expect(await checkImage(disk, { repair: 'leaks', onRepaired })).toMatchObject({
    verdict: 'clean',
    leaks: 0,
    leaksFixed: 2,
  })
  expect(onRepaired).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ leaksFixed: 2 }))
  expect(await checkImage(disk, { repair: 'all', onRepaired })).toMatchObject({ verdict: 'clean', leaksFixed: 0 })
  expect(onRepaired).toHaveBeenCalledOnce()
})

test('corruption', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(64 * kib, 1) })
  const store = images.store('disk')
  // A table that nobody has counted: its reference count is 0.
  const header = new DataView(store.bytes().buffer)
  const table = header.getUint32(52)
  const block = header.getUint32(table + 4)
  store.write(block, new Uint8Array(2 * 6))
  const disk = await images.graph.open('mem:disk', { format: 'qcow2', readOnly: true, check: true })
  expect(await checkImage(disk)).toMatchObject({ verdict: 'corruptions' })
})

test('metadata that cannot be read leave a check incomplete', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(64 * kib, 1) })
  const disk = await images.graph.open('mem:disk', { format: 'qcow2', readOnly: true, check: true })
  images.store('disk').arm({ index: 0, code: 'EIO', kinds: ['read'], forGood: true })
  const outcome = await checkImage(disk).then(
    ({ verdict }) => verdict,
    (error: Error) => error.message,
  )
  expect(['incomplete', 'Check failed: Input/output error']).toContain(outcome)
})

test('a format without a check', async () => {
  await using images = memoryImages()
  await images.make('disk', 'raw', mib)
  await expect(checkImage(await images.open('disk', 'raw'))).rejects.toMatchObject({
    code: 'ENOTSUP',
    message: 'This image format does not support checks',
  })
})

test('it can be stopped', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(64 * kib, 1) })
  const disk = await images.open('disk', 'qcow2')
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(checkImage(disk, { signal })).rejects.toThrow('enough')
})
