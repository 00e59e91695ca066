// Proves that two disks are the same exactly where guests read the same, that the first difference is found, that what
// block status settles is not read, and that a failure says at which stage it came.

import { expect, test, vi } from 'vitest'
import { compareDisks } from '../src/compare-disks.ts'
import { filled, kib, memoryImages, mib } from './support/images.ts'

test('the same content in two formats', async () => {
  await using images = memoryImages()
  const data = { [64 * kib]: filled(64 * kib, 7), [3 * mib]: filled(5 * kib, 9) }
  await images.make('a', 'raw', 4 * mib, data)
  await images.make('b', 'qcow2', 4 * mib, data)
  const [a, b] = [await images.open('a', 'raw'), await images.open('b', 'qcow2')]
  const onProgress = vi.fn()
  expect(await compareDisks(a, b, { onProgress })).toEqual({ kind: 'identical' })
  expect(onProgress).toHaveBeenLastCalledWith({ current: 4 * mib, total: 4 * mib })
})

test.each([
  ['in both', { 0: filled(mib, 1) }, { 0: filled(mib, 1), 70000: filled(1, 2) }, 69632],
  ['only in the first', { 131584: filled(1, 1) }, {}, 131584],
  ['only in the second', {}, { 66560: filled(1, 1) }, 66560],
])('the first sector that differs, %s', async (_, first, second, offset) => {
  await using images = memoryImages()
  await images.make('a', 'qcow2', mib, first)
  await images.make('b', 'qcow2', mib, second)
  const [a, b] = [await images.open('a', 'qcow2'), await images.open('b', 'qcow2')]
  expect(await compareDisks(a, b)).toEqual({ kind: 'content', offset })
})

test('a longer disk is the same where its end is zero', async () => {
  await using images = memoryImages()
  await images.make('a', 'qcow2', mib, { 0: filled(kib, 1) })
  await images.make('b', 'qcow2', 2 * mib, { 0: filled(kib, 1), [mib]: filled(kib, 0) })
  await images.make('c', 'qcow2', 2 * mib, { 0: filled(kib, 1), [mib + kib]: filled(1, 1) })
  const [a, b, c] = [await images.open('a', 'qcow2'), await images.open('b', 'qcow2'), await images.open('c', 'qcow2')]
  const onWarning = vi.fn()
  expect(await compareDisks(a, b, { onWarning })).toEqual({ kind: 'identical' })
  expect(onWarning).toHaveBeenCalledExactlyOnceWith('Image size mismatch!')
  expect(await compareDisks(c, a)).toEqual({ kind: 'content', offset: mib + kib })
  expect(await compareDisks(a, b, { strict: true })).toEqual({ kind: 'size' })
})

test('strict: allocation counts', async () => {
  await using images = memoryImages()
  const zeroes = filled(64 * kib, 0)
  await images.make('a', 'qcow2', mib, { [128 * kib]: zeroes, [512 * kib]: zeroes })
  await images.make('b', 'qcow2', mib, { [512 * kib]: zeroes })
  await images.make('empty', 'qcow2', mib)
  const [a, b, empty] = [
    await images.open('a', 'qcow2'),
    await images.open('b', 'qcow2'),
    await images.open('empty', 'qcow2'),
  ]
  const strict = { strict: true }
  expect(await compareDisks(a, b)).toEqual({ kind: 'identical' })
  expect(await compareDisks(a, b, strict)).toEqual({ kind: 'status', offset: 128 * kib })
  // A run that reaches the end of its disk is another one than a run that does not.
  expect(await compareDisks(b, empty, strict)).toEqual({ kind: 'status', offset: 0 })
  expect(await compareDisks(b, b, strict)).toEqual({ kind: 'identical' })
})

test('what neither disk holds is not read', async () => {
  await using images = memoryImages()
  await images.make('a', 'qcow2', mib)
  await images.make('b', 'qcow2', mib)
  const [a, b] = [await images.open('a', 'qcow2'), await images.open('b', 'qcow2')]
  images.store('a').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  expect(await compareDisks(a, b)).toEqual({ kind: 'identical' })
  expect(images.store('a').hit).toBe(false)
})

test('a failing read names its place', async () => {
  await using images = memoryImages()
  await images.make('a', 'raw', mib, { 0: filled(mib, 1) })
  await images.make('b', 'raw', mib, { 0: filled(mib, 1) })
  const [a, b] = [await images.open('a', 'raw'), await images.open('b', 'raw')]
  images.store('b').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await expect(compareDisks(a, b, { names: ['one', 'two'] })).rejects.toMatchObject({
    code: 'EIO',
    message: 'Error while reading offset 0 of two: Input/output error',
    details: { stage: 'read' },
  })
})

test('a failing block status names its disk', async () => {
  await using images = memoryImages()
  await images.make('a', 'qcow2', mib, { 0: filled(mib, 1) })
  await images.make('b', 'raw', mib)
  const [a, b] = [await images.open('a', 'qcow2'), await images.open('b', 'raw')]
  images.store('a').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await expect(compareDisks(a, b)).rejects.toMatchObject({
    code: 'EIO',
    message: 'Sector allocation test failed for mem:a',
    details: { stage: 'status' },
  })
})

test('it can be stopped', async () => {
  await using images = memoryImages()
  await images.make('a', 'raw', 8 * mib, { 0: filled(8 * mib, 1) })
  const a = await images.open('a', 'raw')
  const stop = new AbortController()
  const reason = new Error('enough')
  const done: number[] = []
  const comparing = compareDisks(a, a, {
    signal: stop.signal,
    onProgress: ({ current }) => {
      done.push(current)
      if (done.length === 2) stop.abort(reason)
    },
  })
  await expect(comparing).rejects.toBe(reason)
  expect(done).toEqual([2 * mib, 4 * mib])
})
