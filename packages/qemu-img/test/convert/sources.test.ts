// Proves that several disks are one: their runs and bytes lie one behind the other, and where the target has a backing
// file, only what that cannot show is to be copied.

import { expect, test } from 'vitest'
import { type RunRules, Sources } from '../../src/convert/sources.ts'
import { filled, kib, memoryImages, mib } from '../support/images.ts'

const alone: RunRules = { targetHasBacking: false, targetBackingBytes: Number.POSITIVE_INFINITY }

test('reads cross the seams', async () => {
  await using images = memoryImages()
  await images.make('a', 'raw', 64 * kib, { 0: filled(64 * kib, 1) })
  await images.make('b', 'raw', 512, { 0: filled(512, 2) })
  await images.make('c', 'raw', 64 * kib, { 0: filled(64 * kib, 3) })
  const disks = [await images.open('a', 'raw'), await images.open('b', 'raw'), await images.open('c', 'raw')]
  const sources = new Sources(disks)
  expect(sources.length).toBe(128 * kib + 512)
  const into = new Uint8Array(1536)
  await sources.read(64 * kib - 512, into)
  expect([into[0], into[511], into[512], into[1023], into[1024]]).toEqual([1, 1, 2, 2, 3])
  await expect(sources.read(128 * kib + 512, into)).rejects.toThrow('offset 131584 lies in no source')
})

test('runs end where a source ends, and where its kind changes', async () => {
  await using images = memoryImages()
  await images.make('a', 'qcow2', mib, { 0: filled(64 * kib, 1) })
  await images.make('b', 'qcow2', mib)
  const sources = new Sources([await images.open('a', 'qcow2'), await images.open('b', 'qcow2')])
  expect(await sources.runAt(0, alone)).toEqual({ start: 0, bytes: 64 * kib, kind: 'data' })
  expect(await sources.runAt(64 * kib, alone)).toEqual({ start: 64 * kib, bytes: 960 * kib, kind: 'zero' })
  expect(await sources.runAt(mib, alone)).toEqual({ start: mib, bytes: mib, kind: 'zero' })
})

test('what a backing file shows is left to it, as far as it reaches', async () => {
  await using images = memoryImages()
  await images.make('base', 'qcow2', mib, { 0: filled(mib, 1) })
  const backing = { filename: 'mem:base', format: 'qcow2' }
  await images.graph.create('qcow2', 'mem:top', { size: 2 * mib, backing })
  const top = await images.open('top', 'qcow2', { writable: true })
  await top.write(64 * kib, filled(64 * kib, 2))
  await top.writeZeroes(mib - 64 * kib, 128 * kib)
  const sources = new Sources([top])
  const rules = { targetHasBacking: true, targetBackingBytes: mib }
  expect(await sources.runAt(0, rules)).toEqual({ start: 0, bytes: 64 * kib, kind: 'backing' })
  expect(await sources.runAt(64 * kib, rules)).toMatchObject({ bytes: 64 * kib, kind: 'data' })
  expect(await sources.runAt(mib - 64 * kib, rules)).toMatchObject({ bytes: 64 * kib, kind: 'zero' })
  expect(await sources.runAt(mib, rules)).toMatchObject({ kind: 'backing' })
  expect(await sources.runAt(0, alone)).toMatchObject({ kind: 'data' })
})
