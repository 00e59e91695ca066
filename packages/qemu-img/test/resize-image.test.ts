// Proves that a disk gets the size that was asked for, and that what would lose data or cannot be is refused.

import { expect, test } from 'vitest'
import { type NewSize, type ResizeOptions, resizeImage } from '../src/resize-image.ts'
import { kib, memoryImages, mib } from './support/images.ts'

test.each<[string, NewSize, ResizeOptions, number]>([
  ['to a size', { to: 2 * mib }, {}, 2 * mib],
  ['by so much', { by: 512n }, {}, mib + 512],
  ['down to a size', { to: 64 * kib }, { shrink: true }, 64 * kib],
  ['down by so much', { by: -512 * kib }, { shrink: true }, 512 * kib],
  ['with its metadata', { by: mib }, { preallocation: 'metadata' }, 2 * mib],
])('%s', async (_, size, options, length) => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  expect(await resizeImage(disk, size, options)).toBe(length)
  expect(disk.length).toBe(length)
})

test.each<[string, NewSize, ResizeOptions, string]>([
  ['nothing at all', { to: 0 }, { shrink: true }, 'New image size must be positive'],
  ['less than nothing', { by: -2 * mib }, { shrink: true }, 'New image size must be positive'],
  ['more than 64 bits count', { by: 2n ** 63n - 1n }, {}, 'New image size must be positive'],
  ['shrinking unasked', { to: 512 }, {}, 'Use the --shrink option to perform a shrink operation.'],
  [
    'preallocation of nothing',
    { by: 0 },
    { preallocation: 'full' },
    'Preallocation can only be used for growing images',
  ],
])('refused: %s', async (_, size, options, message) => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  await expect(resizeImage(disk, size, options)).rejects.toMatchObject({ code: 'EINVAL', message })
  expect(disk.length).toBe(mib)
})

test('who shrinks unasked can be told why', async () => {
  await using images = memoryImages()
  await images.make('disk', 'raw', mib)
  const disk = await images.open('disk', 'raw', { writable: true })
  await expect(resizeImage(disk, { by: -512 })).rejects.toMatchObject({ details: { reason: 'shrink' } })
})

test('it can be stopped', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(resizeImage(disk, { by: mib }, { preallocation: 'full', signal })).rejects.toThrow('enough')
  expect(disk.length).toBe(mib)
})

test('it tells how much is prepared', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  let last = { current: 0, total: 0 }
  const onProgress = (progress: typeof last): void => {
    last = progress
  }
  await resizeImage(disk, { by: mib }, { preallocation: 'metadata', onProgress })
  expect(last).toEqual({ current: mib, total: mib })
})
