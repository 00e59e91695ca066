/** Proves that a downgraded image shows what it showed, disk and snapshots, whenever the power fails and whatever request fails. */

import { amendImage, createSnapshot } from '@blocklayer/block-core'
import { expectSameBytes, filled, MemoryStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { downgrade } from '../../../src/features/amend/downgrade.ts'
import { AmendProgress } from '../../../src/features/amend/progress.ts'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { contentOf, expectContent, expectSurvivesFailures, expectSurvivesPowerCuts } from '../../helpers/amend.ts'
import { checkStore, KiB, newImage, type OpenDisk, openDisk, readAll } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }
const facts = ({ disk }: OpenDisk): unknown => disk.info.specific?.data
const size = 48 * KiB
const options = { compat: '0.10' }
const moment = { dateSeconds: 1, dateNanoseconds: 0 }

interface Made {
  readonly image: Uint8Array
  readonly backing: MemoryStore | undefined
}

/**
 * Data, zero flags with and without a cluster below them, before and after a snapshot: the disk has flags over clusters
 * that the snapshot shows data in, and shares flags with it.
 */
async function make(create: Qcow2CreateOptions, how: { snapshots: boolean; backing: boolean }): Promise<Made> {
  let backing: MemoryStore | undefined
  if (how.backing) {
    backing = new MemoryStore(await newImage(size))
    const below = await openDisk(backing)
    await below.disk.write(0, filled(7, size))
    await below.close()
  }
  const reference = how.backing ? { filename: 'base', format: 'qcow2' } : undefined
  const store = new MemoryStore(await newImage(size, create, reference))
  const { disk, close } = await openDisk(store, { backing })
  await disk.write(0, filled(1, 20 * KiB))
  await disk.writeZeroes(4 * KiB, 4 * KiB)
  await disk.writeZeroes(24 * KiB, 8 * KiB, { mayUnmap: true })
  if (how.snapshots) {
    await createSnapshot(disk, { name: 'a', ...moment })
    await disk.writeZeroes(0, 8 * KiB)
    await createSnapshot(disk, { name: 'b', ...moment })
    await disk.write(24 * KiB, filled(2, 4 * KiB))
    await disk.writeZeroes(12 * KiB, 4 * KiB)
  }
  await close()
  return { image: store.bytes(), backing }
}

const layouts: readonly { name: string; create: Qcow2CreateOptions; snapshots: boolean; backing: boolean }[] = [
  { name: 'plain', create: { clusterSize: 1024 }, snapshots: false, backing: false },
  { name: 'over a backing file', create: { clusterSize: 1024 }, snapshots: false, backing: true },
  { name: 'with snapshots', create: { clusterSize: 2048 }, snapshots: true, backing: false },
  { name: 'with both', create: { clusterSize: 4096, lazyRefcounts: true }, snapshots: true, backing: true },
]

describe.each(layouts)('$name', ({ create, ...how }) => {
  test('shows the same, and goes on working', async () => {
    const { image, backing } = await make(create, how)
    const store = new MemoryStore(image)
    const content = await contentOf(store, backing)
    const opened = await openDisk(store, { backing })
    await amendImage(opened.disk, options)
    expect(facts(opened)).toMatchObject({ compat: '0.10' })
    await opened.disk.flush()
    expect(await checkStore(store)).toMatchObject(clean)
    await expectContent(store, content, 'downgraded', backing)
    await opened.disk.write(0, filled(5, size))
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
    await expectContent(store, { ...content, disk: filled(5, size) }, 'written', backing)
  })

  test('power cuts', async () => {
    const { image, backing } = await make(create, how)
    expect(await expectSurvivesPowerCuts({ image, backing, options, facts })).toBeGreaterThan(3)
  })

  test.each([false, true])('the 1st, 2nd, 3rd… request fails, for good: %s', async (forGood) => {
    const { image, backing } = await make(create, how)
    expect(await expectSurvivesFailures({ image, backing, options, facts }, forGood)).toBeGreaterThan(3)
  })
})

test('a stopped downgrade leaves a good image', async () => {
  const { image } = await make({ clusterSize: 1024 }, { snapshots: true, backing: false })
  const store = new MemoryStore(image)
  const content = await contentOf(store)
  const opened = await openDisk(store)
  const abort = new AbortController()
  const onProgress = (): void => abort.abort(new Error('enough'))
  await expect(amendImage(opened.disk, options, { signal: abort.signal, onProgress })).rejects.toThrow('enough')
  expect(facts(opened)).toMatchObject({ compat: '1.1' })
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
  await expectContent(store, content, 'stopped')
})

test('an image whose dirty mark must stay', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(size)))
  await image.header.markDirty()
  image.header.requireRepair()
  expect(await failureOf(() => downgrade(image, new AmendProgress({})))).toBe(
    'ENOTSUP Cannot downgrade an image with incompatible features 0x1 set',
  )
})

describeWithReference('the reference', () => {
  test.each(layouts)('reads what we downgraded: $name', async ({ create, ...how }) => {
    using folder = new TemporaryFolder()
    const { image, backing } = await make(create, how)
    const ours = folder.file('ours.qcow2')
    const before = folder.file('before.qcow2')
    if (backing !== undefined) writeFileSync(folder.file('base'), backing.bytes())
    writeFileSync(before, image)
    const store = new MemoryStore(image)
    const opened = await openDisk(store, { backing })
    await amendImage(opened.disk, options)
    await opened.close()
    writeFileSync(ours, store.bytes())
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
    expect(qemuImg('compare', ours, before).code).toBe(0)
    for (const name of how.snapshots ? ['a', 'b'] : []) {
      for (const file of [ours, before]) expect(qemuImg('snapshot', '-a', name, file).code).toBe(0)
      expect(qemuImg('compare', ours, before).code).toBe(0)
    }
  })

  test.each(layouts.filter(({ snapshots }) => !snapshots))('downgrades, and we read it: $name', async (layout) => {
    using folder = new TemporaryFolder()
    const { image, backing } = await make(layout.create, layout)
    const theirs = folder.file('theirs.qcow2')
    if (backing !== undefined) writeFileSync(folder.file('base'), backing.bytes())
    writeFileSync(theirs, image)
    const content = await contentOf(new MemoryStore(image), backing)
    expect(qemuImg('amend', '-o', 'compat=0.10', theirs)).toMatchObject({ code: 0, err: '' })
    const store = new MemoryStore(readFileSync(theirs))
    expect(await checkStore(store)).toMatchObject(clean)
    await expectContent(store, content, 'theirs', backing)
  })

  // A difference: the reference writes zeroes into the cluster that the snapshot shows data in.
  test('destroys what a snapshot shares with a flag', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image.qcow2')
    expect(qemuImg('create', '-f', 'qcow2', image, '1M').code).toBe(0)
    qemuIo(image, 'write -P 5 0 64k')
    expect(qemuImg('snapshot', '-c', 's', image).code).toBe(0)
    qemuIo(image, 'write -z 0 64k')
    const store = new MemoryStore(readFileSync(image))
    expect(qemuImg('amend', '-o', 'compat=0.10', image).code).toBe(0)
    expect(qemuImg('snapshot', '-a', 's', image).code).toBe(0)
    expect(qemuIo(image, 'read -P 0 0 64k')).not.toContain('failed')
    const opened = await openDisk(store)
    await amendImage(opened.disk, options)
    await opened.close()
    writeFileSync(image, store.bytes())
    expect(qemuImg('snapshot', '-a', 's', image).code).toBe(0)
    expect(qemuIo(image, 'read -P 5 0 64k')).not.toContain('failed')
  })
})

describe('an image for zstd', () => {
  const zstd = { compressionType: 'zstd', clusterSize: 4096 }
  const text = Uint8Array.from({ length: 4096 }, (_, at) => at % 7)

  test('without compressed clusters becomes one for zlib, at once', async () => {
    const store = new MemoryStore(await newImage(size, zstd))
    const opened = await openDisk(store)
    expect(facts(opened)).toMatchObject({ 'compression-type': 'zstd' })
    await opened.disk.write(0, filled(1, 4096))
    await amendImage(opened.disk, options)
    expect(facts(opened)).toMatchObject({ compat: '0.10', 'compression-type': 'zlib' })
    await opened.disk.writeCompressed(8192, text)
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
    await using again = await openDisk(store, { readOnly: true })
    const content = await readAll(again.disk)
    expectSameBytes(content.subarray(0, 4096), filled(1, 4096), 'plain')
    expectSameBytes(content.subarray(8192, 12288), text, 'compressed')
  })

  test('with compressed clusters stays what it is', async () => {
    const store = new MemoryStore(await newImage(size, zstd))
    const opened = await openDisk(store)
    await opened.disk.writeCompressed(8192, text)
    // The reference gives it data before it looks further.
    await opened.disk.writeZeroes(0, 4096)
    await opened.disk.flush()
    const before = store.bytes()
    expect(await failureOf(() => amendImage(opened.disk, options))).toBe(
      'ENOTSUP Cannot downgrade an image with zstd compression type and existing compressed clusters',
    )
    expectSameBytes(store.bytes(), before, 'the image')
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
    await using again = await openDisk(store)
    expect(facts(again)).toMatchObject({ compat: '1.1', 'compression-type': 'zstd' })
  })
})
