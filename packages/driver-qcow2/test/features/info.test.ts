/** An image says about itself what the reference's does. */

import { afterAll, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { MiB, newImage, openDisk } from '../helpers/disk.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../helpers/reference.ts'

async function infoOf(content: Uint8Array) {
  await using opened = await openDisk(new MemoryStore(content), { readOnly: true })
  return opened.disk.info
}

test('version 3', async () => {
  expect(await infoOf(await newImage(MiB, { lazyRefcounts: true, refcountBits: 8 }))).toEqual({
    clusterSize: 65536,
    dirty: false,
    vmStateOffset: 512 * MiB,
    encrypted: false,
    specific: {
      type: 'qcow2',
      data: {
        compat: '1.1',
        'compression-type': 'zlib',
        'lazy-refcounts': true,
        'refcount-bits': 8,
        corrupt: false,
        'extended-l2': false,
      },
    },
  })
})

test('version 2', async () => {
  const info = await infoOf(await newImage(MiB, { compat: '0.10' }))
  expect(info.specific?.data).toEqual({ compat: '0.10', 'compression-type': 'zlib', 'refcount-bits': 16 })
})

test('dirty and corrupt', async () => {
  const content = await newImage(MiB)
  content[79] = 3
  const info = await infoOf(content)
  expect(info.dirty).toBe(true)
  expect(info.specific?.data).toMatchObject({ corrupt: true })
})

describeWithReference('bitmaps', () => {
  const folder = new TemporaryFolder()
  afterAll(() => folder[Symbol.dispose]())

  test('are listed as the reference lists them', async () => {
    const path = folder.file('x.qcow2')
    qemuImg('create', '-q', '-f', 'qcow2', path, '1M')
    qemuImg('bitmap', '--add', '-g', '512', path, 'b0')
    qemuImg('bitmap', '--add', '--disable', path, 'b1')
    const theirs = JSON.parse(qemuImg('info', '--output=json', path).out) as { 'format-specific': object }
    const { specific } = await infoOf(new Uint8Array(readFileSync(path)))
    expect(specific).toEqual(theirs['format-specific'])
  })
})

describeWithReference('snapshots', () => {
  const folder = new TemporaryFolder()
  afterAll(() => folder[Symbol.dispose]())

  test('are listed as the reference lists them', async () => {
    const path = folder.file('x.qcow2')
    qemuImg('create', '-q', '-f', 'qcow2', path, '1M')
    qemuImg('snapshot', '-c', 'first', path)
    qemuImg('snapshot', '-c', 'zweiter Schnappschuß', path)
    const theirs = JSON.parse(qemuImg('info', '--output=json', path).out) as { snapshots: object[] }
    const { snapshots = [] } = await infoOf(new Uint8Array(readFileSync(path)))
    const ours = snapshots.map((entry) => ({
      id: entry.id,
      name: entry.name,
      'vm-state-size': entry.vmStateBytes,
      'date-sec': entry.dateSeconds,
      'date-nsec': entry.dateNanoseconds,
      'vm-clock-sec': entry.vmClockNanoseconds,
      'vm-clock-nsec': entry.vmClockNanoseconds,
      icount: Number(entry.icount),
    }))
    expect(ours).toEqual(theirs.snapshots)
  })
})
