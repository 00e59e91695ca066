/** Proves that an upgrade is one switch of the header, and that the snapshot table then says what version 3 requires. */

import { amendImage, createSnapshot } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectContent, contentOf, expectSurvivesFailures, expectSurvivesPowerCuts } from '../../helpers/amend.ts'
import { checkStore, KiB, newImage, type OpenDisk, openDisk } from '../../helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'

const facts = ({ disk }: OpenDisk): unknown => disk.info.specific?.data

async function image(clusterSize: number, backing?: { filename: string; format: string }): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(96 * KiB, { compat: '0.10', clusterSize }, backing))
  const opened = await openDisk(store, { backing: backing && new MemoryStore(await newImage(96 * KiB)) })
  await opened.disk.write(0, filled(1, 20 * KiB))
  await createSnapshot(opened.disk, { name: 's', dateSeconds: 1, dateNanoseconds: 0 })
  await opened.disk.write(8 * KiB, filled(2, 20 * KiB))
  await opened.close()
  return store.bytes()
}

test.each([
  { name: 'one sector', clusterSize: 512, backing: undefined },
  { name: 'large clusters', clusterSize: 16384, backing: undefined },
  { name: 'a backing file whose name moves behind the first sector', clusterSize: 8192, backing: 'base' },
])('power cuts and failures: $name', async ({ clusterSize, backing }) => {
  const reference = backing === undefined ? undefined : { filename: backing, format: 'qcow2' }
  const below = backing === undefined ? undefined : new MemoryStore(await newImage(96 * KiB))
  const trial = {
    image: await image(clusterSize, reference),
    options: { compat: '1.1' },
    backing: below,
    facts: (opened: OpenDisk) => [facts(opened), opened.disk.root.backingReference],
  }
  expect(await expectSurvivesPowerCuts(trial)).toBeGreaterThan(1)
  for (const forGood of [false, true]) expect(await expectSurvivesFailures(trial, forGood)).toBeGreaterThan(0)
})

test('snapshots that do not say how large the disk was', async () => {
  const old = await image(65536)
  const store = new MemoryStore(old)
  // The entry's extra data: only the size of the machine state is left of it, as the oldest writers have it.
  const at = Number(new DataView(old.buffer, old.byteOffset).getBigUint64(64))
  const entry = old.slice(at, at + 40 + 24 + 2)
  new DataView(entry.buffer).setUint32(36, 8)
  entry.copyWithin(48, 64)
  await store.write(at, entry)
  const content = await contentOf(store)
  const opened = await openDisk(store)
  await amendImage(opened.disk, { compat: '1.1' })
  await opened.disk.truncate(64 * KiB)
  await opened.close()
  expect(await checkStore(store)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 })
  const again = await openDisk(store, { readOnly: true })
  expect(again.disk.info.snapshots).toMatchObject([{ name: 's' }])
  await again.close()
  expect((await contentOf(store)).snapshots[0]?.subarray(0, 64 * KiB)).toEqual(
    content.snapshots[0]?.subarray(0, 64 * KiB),
  )
})

describeWithReference('the reference', () => {
  test.each([512, 65536])('reads what we upgraded, and we what it did: clusters of %i', async (clusterSize) => {
    using folder = new TemporaryFolder()
    const ours = folder.file('ours.qcow2')
    const theirs = folder.file('theirs.qcow2')
    const start = await image(clusterSize)
    writeFileSync(theirs, start)
    const store = new MemoryStore(start)
    const content = await contentOf(store)
    const opened = await openDisk(store)
    await amendImage(opened.disk, { compat: 'v3' })
    await opened.close()
    writeFileSync(ours, store.bytes())
    expect(qemuImg('amend', '-o', 'compat=v3', theirs).code).toBe(0)
    expect(readFileSync(ours).equals(readFileSync(theirs))).toBe(true)
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
    await expectContent(new MemoryStore(readFileSync(theirs)), content, 'theirs')
  })
})
