/**
 * Proves that all counts come through a change of their width, whenever the power fails and whatever request fails, and
 * that the open image goes on with the new ones.
 */

import { amendImage, createSnapshot, deleteSnapshot } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { changeRefcountOrder } from '../../../src/features/amend/refcount-order.ts'
import { AmendProgress } from '../../../src/features/amend/progress.ts'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { contentOf, expectContent, expectSurvivesFailures, expectSurvivesPowerCuts } from '../../helpers/amend.ts'
import { checkStore, KiB, MiB, newImage, type OpenDisk, openDisk, readAll } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }
const facts = ({ disk }: OpenDisk): unknown => disk.info.specific?.data
const moment = { dateSeconds: 1, dateNanoseconds: 0 }

/** A disk with holes, and a snapshot that shares parts of it where counts may be more than one. */
async function make(options: Qcow2CreateOptions, size: number): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(size, options))
  const { disk, close } = await openDisk(store)
  await disk.write(0, filled(1, size / 4))
  await disk.write(size / 2, filled(2, size / 8))
  if (options.refcountBits !== 1) {
    await createSnapshot(disk, { name: 's', ...moment })
    await disk.write(size / 8, filled(3, size / 4))
  }
  await close()
  return store.bytes()
}

const widths = [1, 2, 4, 8, 16, 32, 64]
const changes = widths.flatMap((from) =>
  widths.filter((to) => to !== from && (from === 1 || to > 1)).map((to) => [from, to]),
)

test.each(changes)('%i to %i bits, in a living image', async (from, to) => {
  const store = new MemoryStore(await make({ clusterSize: 512, refcountBits: from! }, MiB))
  const content = await contentOf(store)
  const opened = await openDisk(store)
  const { disk } = opened
  await disk.write(900 * KiB, filled(4, 20 * KiB))
  content.disk.fill(4, 900 * KiB, 920 * KiB)
  const steps: number[] = []
  const onProgress = ({ current, total }: { current: number; total: number }) => steps.push(current / total)
  await amendImage(disk, { refcount_bits: to! }, { onProgress })
  expect(steps.at(-1)).toBe(1)
  expect(facts(opened)).toMatchObject({ 'refcount-bits': to })
  expect(await checkStore(store)).toMatchObject(clean)
  await expectContent(store, content, 'amended')
  if (to! > 1) await createSnapshot(disk, { name: 'new', ...moment })
  await disk.write(100 * KiB, filled(5, 300 * KiB))
  await disk.discard(700 * KiB, 100 * KiB)
  if (from! > 1) await deleteSnapshot(disk, 's')
  await disk.truncate(2 * MiB)
  await amendImage(disk, { size: MiB })
  const now = await readAll(disk)
  expect(now.subarray(100 * KiB, 400 * KiB)).toEqual(filled(5, 300 * KiB))
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
})

const trials: readonly { name: string; options: Qcow2CreateOptions; amend: Record<string, string | number> }[] = [
  { name: 'wider', options: { clusterSize: 512, refcountBits: 16 }, amend: { refcount_bits: 64 } },
  { name: 'narrower', options: { clusterSize: 512, refcountBits: 64 }, amend: { refcount_bits: 2 } },
  { name: 'lazy', options: { clusterSize: 1024, lazyRefcounts: true }, amend: { refcount_bits: 32 } },
]

describe.each(trials)('$name', ({ options, amend }) => {
  test('power cuts', async () => {
    const image = await make(options, 96 * KiB)
    expect(await expectSurvivesPowerCuts({ image, options: amend, facts })).toBeGreaterThan(5)
  })

  test.each([false, true])('the 1st, 2nd, 3rd… request fails, for good: %s', async (forGood) => {
    const image = await make(options, 96 * KiB)
    expect(await expectSurvivesFailures({ image, options: amend, facts }, forGood)).toBeGreaterThan(5)
  })
})

test('up, wider, and all the way back', async () => {
  const store = new MemoryStore(await make({ clusterSize: 4096, compat: '0.10' }, MiB))
  const content = await contentOf(store)
  const opened = await openDisk(store)
  await amendImage(opened.disk, { compat: '1.1', refcount_bits: 64, lazy_refcounts: 'on' })
  await opened.disk.write(0, filled(9, 64 * KiB))
  content.disk.fill(9, 0, 64 * KiB)
  await amendImage(opened.disk, { compat: '0.10', refcount_bits: 16 })
  expect(facts(opened)).toMatchObject({ compat: '0.10', 'refcount-bits': 16 })
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
  await expectContent(store, content, 'back')
})

test('a stopped change leaves a good image', async () => {
  const store = new MemoryStore(await make({ clusterSize: 512 }, MiB))
  const content = await contentOf(store)
  const opened = await openDisk(store)
  const abort = new AbortController()
  const onProgress = (): void => abort.abort(new Error('enough'))
  const change = amendImage(opened.disk, { refcount_bits: 64 }, { signal: abort.signal, onProgress })
  await expect(change).rejects.toThrow('enough')
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
  await expectContent(store, content, 'stopped')
})

test('a count that does not fit, and a table that would be too long', async () => {
  const store = new MemoryStore(await make({}, MiB))
  await using opened = await openDisk(store)
  expect(await failureOf(() => amendImage(opened.disk, { refcount_bits: 1 }))).toBe(
    'EINVAL Cannot decrease refcount entry width to 1 bits: Cluster at offset 0x50000 has a refcount of 2',
  )
  // Clusters so far away that the wider counts need a table of more than 8 MiB: 2^20 blocks of 64 counts.
  const { image } = await openOn(new MemoryChild(await newImage(MiB, { clusterSize: 512, refcountBits: 1 })))
  const far = 2 ** 26 / image.geometry.refblockEntries
  const table = new Uint8Array((far + 64) * 8)
  table.set(image.refcountTable.bytes.subarray(0, 8), far * 8)
  image.refcountTable.replace(table)
  expect(await failureOf(() => changeRefcountOrder(image, 6, new AmendProgress({})))).toBe(
    'ENOTSUP This operation would make the refcount table grow beyond the maximum size supported by QEMU, aborting',
  )
})

describeWithReference('the reference', () => {
  test('names the same cluster whose count does not fit', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image.qcow2')
    writeFileSync(image, await make({}, MiB))
    expect(qemuImg('amend', '-o', 'refcount_bits=1', image)).toMatchObject({
      code: 1,
      err: 'qemu-img: Cannot decrease refcount entry width to 1 bits: Cluster at offset 0x50000 has a refcount of 2\n',
    })
  })

  test.each([
    [16, 64],
    [16, 2],
    [1, 8],
    [64, 16],
  ])('finds what we changed clean, and we what it did: %i to %i bits', async (from, to) => {
    using folder = new TemporaryFolder()
    const ours = folder.file('ours.qcow2')
    const theirs = folder.file('theirs.qcow2')
    const start = await make({ clusterSize: 1024, refcountBits: from }, MiB)
    writeFileSync(theirs, start)
    const store = new MemoryStore(start)
    const content = await contentOf(store)
    const opened = await openDisk(store)
    await amendImage(opened.disk, { refcount_bits: to })
    await opened.close()
    writeFileSync(ours, store.bytes())
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
    expect(qemuImg('compare', ours, theirs).code).toBe(0)
    expect(qemuImg('amend', '-o', `refcount_bits=${to}`, theirs)).toMatchObject({ code: 0, err: '' })
    const back = new MemoryStore(readFileSync(theirs))
    expect(await checkStore(back)).toMatchObject(clean)
    await expectContent(back, content, 'theirs')
    qemuIo(ours, 'write -P 6 0 512k')
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
  })
})
