// Proves that changes of a bitmap are made in order and kept, that one can be merged from another disk, and that what was
// done before a failure stays done.

import { dirtyBitmapFacts } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { changeImageBitmap } from '../src/image-bitmap.ts'
import { filled, kib, memoryImages, mib } from './support/images.ts'

test('changes in order, kept when the disk is closed', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  await changeImageBitmap(disk, 'b', [{ type: 'add', granularity: 32 * kib }, { type: 'disable' }])
  await changeImageBitmap(disk, 'c', [{ type: 'add' }, { type: 'clear' }, { type: 'remove' }])
  await disk.close()
  const again = await images.open('disk', 'qcow2')
  expect(dirtyBitmapFacts(again.root)).toMatchObject([
    { name: 'b', granularity: 32 * kib, recording: false, persistent: true },
  ])
})

test('what another disk’s bitmap recorded', async () => {
  await using images = memoryImages()
  await images.make('a', 'qcow2', mib)
  await images.make('b', 'qcow2', mib)
  const [a, b] = [
    await images.open('a', 'qcow2', { writable: true }),
    await images.open('b', 'qcow2', { writable: true }),
  ]
  await changeImageBitmap(b, 'seen', [{ type: 'add' }])
  await b.write(0, filled(64 * kib, 1))
  await changeImageBitmap(a, 'all', [{ type: 'add' }, { type: 'merge', source: 'seen', from: b }])
  expect(dirtyBitmapFacts(a.root)).toMatchObject([{ name: 'all', count: 64 * kib }])
})

test('what was done before a failure stays done', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  const failing = changeImageBitmap(disk, 'b', [{ type: 'add' }, { type: 'merge', source: 'none' }])
  await expect(failing).rejects.toThrow(/^Operation merge on bitmap b failed: /)
  expect(dirtyBitmapFacts(disk.root).map(({ name }) => name)).toEqual(['b'])
})

test('who stops it finds whole changes', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  const stop = new AbortController()
  const told: number[] = []
  const onProgress = ({ current }: { readonly current: number }): void => {
    told.push(current)
    if (current === 2) stop.abort(new Error('enough'))
  }
  const job = { signal: stop.signal, onProgress }
  const actions = [{ type: 'add' }, { type: 'disable' }, { type: 'remove' }] as const
  await expect(changeImageBitmap(disk, 'b', actions, job)).rejects.toThrow('enough')
  expect(told).toEqual([1, 2])
  expect(dirtyBitmapFacts(disk.root)).toMatchObject([{ name: 'b', recording: false }])
})
