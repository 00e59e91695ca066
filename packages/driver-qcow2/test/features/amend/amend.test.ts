/** Proves that the steps of an amendment are made in their order in a living image, which works on afterwards. */

import { amendImage } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { expectSurvivesPowerCuts } from '../../helpers/amend.ts'
import { checkStore, KiB, MiB, newImage, type OpenDisk, openDisk, readAll } from '../../helpers/disk.ts'
import { failureOf } from '../../helpers/open-on.ts'

const facts = ({ disk }: OpenDisk): unknown => disk.info.specific?.data
const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }

test('lazy refcounts, on and off', async () => {
  const store = new MemoryStore(await newImage(MiB))
  await using opened = await openDisk(store)
  await amendImage(opened.disk, { lazy_refcounts: 'on' })
  await opened.disk.write(0, filled(1, 64 * KiB))
  expect([opened.disk.info.dirty, facts(opened)]).toMatchObject([true, { 'lazy-refcounts': true }])
  await amendImage(opened.disk, { lazy_refcounts: 'off' })
  expect([opened.disk.info.dirty, facts(opened)]).toMatchObject([false, { 'lazy-refcounts': false }])
  expect(await checkStore(store)).toMatchObject(clean)
  await opened.disk.write(64 * KiB, filled(1, 64 * KiB))
  expect(opened.disk.info.dirty).toBe(false)
})

test('the size, both ways, and everything at once', async () => {
  const store = new MemoryStore(await newImage(MiB, { compat: '0.10' }))
  const opened = await openDisk(store)
  const { disk } = opened
  await disk.write(0, filled(1, MiB))
  await amendImage(disk, { size: '512k' })
  expect(disk.length).toBe(512 * KiB)
  const steps: number[] = []
  const onProgress = ({ current, total }: { current: number; total: number }) => steps.push(current / total)
  await amendImage(disk, { compat: '1.1', lazy_refcounts: 'on', size: '1M' }, { onProgress })
  expect(steps.at(-1)).toBe(1)
  expect([...steps].sort((a, b) => a - b)).toEqual(steps)
  // Zeroes without data: what version 3 can and version 2 could not.
  await disk.writeZeroes(0, 64 * KiB, { mayUnmap: true, noFallback: true })
  const content = await readAll(disk)
  expect([content[0], content[64 * KiB], content[512 * KiB]]).toEqual([0, 1, 0])
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
})

test('a wrong option is found before anything changes', async () => {
  await using opened = await openDisk(new MemoryStore(await newImage(MiB, { compat: '0.10' })))
  const before = facts(opened)
  const message = await failureOf(() => amendImage(opened.disk, { compat: '1.1', backing_file: 'x' }))
  expect(message).toBe('EINVAL Cannot amend the backing file')
  expect(facts(opened)).toEqual(before)
})

test('power cuts while lazy refcounts come', async () => {
  const image = await newImage(MiB, { clusterSize: 4096 })
  const options = { lazy_refcounts: 'on' }
  await expectSurvivesPowerCuts({ image, options, facts })
})
