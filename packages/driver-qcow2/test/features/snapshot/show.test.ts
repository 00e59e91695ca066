/**
 * Proves that a snapshot can be looked at in place of the disk, by name or number, at the size the disk has now; that
 * nothing can be changed meanwhile; and that the file stays what it was, to the last byte.
 */

import {
  type SnapshotWanted,
  applySnapshot,
  createSnapshot,
  deleteSnapshot,
  showSnapshot,
} from '@blocklayer/block-core'
import { expectSameBytes, filled, MemoryStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { KiB, MiB, newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { failureOf } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

interface Made {
  readonly store: MemoryStore
  /** Content by the snapshot's name; all as long as the disk is now. */
  readonly contents: ReadonlyMap<string, Uint8Array>
}

/** Three snapshots: of an empty disk, of data of all kinds, and of a disk that was longer; number 1 is called `2`. */
async function made(create: Qcow2CreateOptions = {}, backing?: MemoryStore): Promise<Made> {
  const store = new MemoryStore(await newImage(MiB, { clusterSize: 4096, ...create }))
  await using opened = await openDisk(store, { backing })
  const { disk } = opened
  const contents = new Map<string, Uint8Array>()
  const keep = async (name: string): Promise<void> => {
    await createSnapshot(disk, { name, dateSeconds: 1, dateNanoseconds: 0 })
    contents.set(name, (await readAll(disk)).slice(0, MiB))
  }
  await keep('2')
  await disk.write(10 * KiB, filled(1, 100 * KiB))
  await disk.writeCompressed(208 * KiB, filled(2, 16 * KiB))
  await disk.writeZeroes(40 * KiB, 20 * KiB)
  await keep('data')
  await disk.truncate(2 * MiB)
  await disk.write(0, filled(3, 2 * MiB))
  await keep('longer')
  await disk.discard(0, 512 * KiB)
  await disk.truncate(MiB)
  await opened.close()
  return { store, contents }
}

const look = async (store: MemoryStore, wanted: SnapshotWanted, backing?: MemoryStore) => {
  const opened = await openDisk(store, { readOnly: true, backing })
  await showSnapshot(opened.disk, wanted)
  return opened
}

describe.each([
  { name: 'default' },
  { name: 'version 2', create: { compat: '0.10' } },
  { name: 'extended L2 entries', create: { clusterSize: 16384, extendedL2: true } },
] as { name: string; create?: Qcow2CreateOptions }[])('$name', ({ create = {} }) => {
  // Version 2 cannot change its size beneath a snapshot.
  const start = create.compat === undefined ? () => made(create) : () => madeWithoutResizing(create)

  test.each<[SnapshotWanted, string]>([
    ['data', 'data'],
    [{ name: 'data' }, 'data'],
    [{ id: '2' }, 'data'],
    ['1', '2'],
    [{ id: '1' }, '2'],
    [{ name: '2' }, '2'],
    [{ id: '1', name: '2' }, '2'],
  ])('%o shows the snapshot called %s', async (wanted, name) => {
    const { store, contents } = await start()
    const before = store.bytes()
    await using shown = await look(store, wanted)
    expectSameBytes(await readAll(shown.disk), contents.get(name)!, name)
    await shown.close()
    expectSameBytes(store.bytes(), before, 'the file')
  })

  test('one after the other, and the disk again when it is opened anew', async () => {
    const { store, contents } = await start()
    await using before = await openDisk(store, { readOnly: true })
    const now = await readAll(before.disk)
    await before.close()
    await using shown = await look(store, 'data')
    await showSnapshot(shown.disk, { name: '2' })
    expectSameBytes(await readAll(shown.disk), contents.get('2')!, 'the second')
    await showSnapshot(shown.disk, 'data')
    expectSameBytes(await readAll(shown.disk), contents.get('data')!, 'the first again')
    await shown.close()
    await using after = await openDisk(store, { readOnly: true })
    expectSameBytes(await readAll(after.disk), now, 'the disk')
  })
})

async function madeWithoutResizing(create: Qcow2CreateOptions): Promise<Made> {
  const store = new MemoryStore(await newImage(MiB, create))
  await using opened = await openDisk(store)
  const contents = new Map<string, Uint8Array>()
  for (const [index, name] of ['2', 'data'].entries()) {
    await opened.disk.write(index * 100 * KiB, filled(index + 1, 150 * KiB))
    contents.set(name, await readAll(opened.disk))
    await createSnapshot(opened.disk, { name, dateSeconds: 1, dateNanoseconds: 0 })
  }
  await opened.disk.write(0, filled(9, MiB))
  await opened.close()
  return { store, contents }
}

test('of a disk that was longer the first part shows, of one that was shorter zeroes behind it', async () => {
  const { store, contents } = await made()
  await using shown = await look(store, 'longer')
  expect(shown.disk.length).toBe(MiB)
  expectSameBytes(await readAll(shown.disk), contents.get('longer')!, 'its first part')
  await shown.close()
  await using growing = await openDisk(store)
  await growing.disk.truncate(4 * MiB)
  await growing.disk.write(0, filled(8, 4 * MiB))
  await growing.close()
  await using shorter = await look(store, 'data')
  const content = await readAll(shorter.disk)
  expect(content.length).toBe(4 * MiB)
  expectSameBytes(content.subarray(0, MiB), contents.get('data')!, 'the snapshot')
  expect(content.subarray(MiB).every((byte) => byte === 0)).toBe(true)
})

test('what a snapshot does not have comes from the backing file', async () => {
  const backing = new MemoryStore(await newImage(MiB))
  await using below = await openDisk(backing)
  await below.disk.write(0, filled(7, MiB))
  await below.close()
  const { store } = await made({}, backing)
  await using shown = await look(store, { name: '2' }, backing)
  expectSameBytes(await readAll(shown.disk), filled(7, MiB), 'the backing file')
})

test.each<SnapshotWanted>(['none', '4', '', { name: '1' }, { id: 'data' }, { id: '2', name: '2' }])(
  'there is no %o',
  async (wanted) => {
    const { store, contents } = await made()
    await using opened = await openDisk(store, { readOnly: true })
    await showSnapshot(opened.disk, 'data')
    expect(await failureOf(() => showSnapshot(opened.disk, wanted))).toBe("ENOENT Can't find snapshot")
    expectSameBytes(await readAll(opened.disk), contents.get('data')!, 'still the one before')
  },
)

test('a snapshot whose L1 table is none', async () => {
  const { store } = await made()
  const bytes = store.bytes()
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setBigUint64(Number(view.getBigUint64(64)), 77n)
  await using opened = await openDisk(new MemoryStore(bytes), { readOnly: true })
  expect(await failureOf(() => showSnapshot(opened.disk, '1'))).toBe('EINVAL Snapshot L1 table offset invalid')
})

test('nothing can be changed meanwhile, and an image that could be changed shows none', async () => {
  const { store } = await made()
  const before = store.bytes()
  await using shown = await look(store, 'data')
  const { disk } = shown
  for (const attempt of [
    () => disk.write(0, filled(1, 512)),
    () => disk.writeZeroes(0, 4096),
    () => disk.writeCompressed(0, filled(1, 4096)),
    () => disk.discard(0, 4096),
    () => disk.truncate(512),
    () => createSnapshot(disk, { name: 'new' }),
    () => applySnapshot(disk, 'data'),
    () => deleteSnapshot(disk, 'data'),
  ]) {
    expect(await failureOf(attempt)).toMatch(/^(EACCES|EPERM|EBADF|EROFS) /)
  }
  await shown.close()
  expectSameBytes(store.bytes(), before, 'the file')
  await using writable = await openDisk(store)
  expect(await failureOf(() => showSnapshot(writable.disk, 'data'))).toBe('EINVAL Invalid argument')
  await writable.close()
  expectSameBytes(store.bytes(), before, 'the file, opened to be written')
})

describeWithReference('the reference', () => {
  test.each([
    'data',
    '1',
    '3',
    'snapshot.name=data',
    'snapshot.id=2',
    'snapshot.name=2',
    'snapshot.id=1,snapshot.name=2',
  ])('reads the same of our snapshots: convert -l %s', async (wanted) => {
    using folder = new TemporaryFolder()
    const { store } = await made()
    writeFileSync(folder.file('image'), store.bytes())
    const args = ['-l', wanted, '-f', 'qcow2', '-O', 'raw', folder.file('image'), folder.file('raw')]
    expect(qemuImg('convert', ...args)).toMatchObject({ code: 0, err: '' })
    await using shown = await look(store, wantedOf(wanted))
    expectSameBytes(await readAll(shown.disk), new Uint8Array(readFileSync(folder.file('raw'))), wanted)
  })

  test('reads the same of its own', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image')
    qemuImg('create', '-q', '-f', 'qcow2', image, '1M')
    qemuIo(image, 'write -P 1 0 200k', 'write -c -P 2 256k 64k')
    qemuImg('snapshot', '-c', 's', image)
    qemuIo(image, 'write -P 3 0 1M')
    qemuImg('resize', '-q', image, '2M')
    qemuImg('convert', '-l', 's', '-O', 'raw', image, folder.file('raw'))
    await using shown = await look(new MemoryStore(readFileSync(image)), 's')
    expectSameBytes(await readAll(shown.disk), new Uint8Array(readFileSync(folder.file('raw'))), 's')
  })

  test.each(['none', 'snapshot.id=9', 'snapshot.name=1', 'snapshot.id=2,snapshot.name=2'])(
    'finds as little: convert -l %s',
    async (wanted) => {
      using folder = new TemporaryFolder()
      const { store } = await made()
      writeFileSync(folder.file('image'), store.bytes())
      const args = ['-l', wanted, '-f', 'qcow2', '-O', 'raw', folder.file('image'), folder.file('raw')]
      expect(qemuImg('convert', ...args)).toMatchObject({
        code: 1,
        err: expect.stringContaining("Can't find snapshot"),
      })
      expect(await failureOf(() => look(store, wantedOf(wanted)))).toBe("ENOENT Can't find snapshot")
    },
  )
})

/** What `-l` takes: a number or name, or both by name. */
function wantedOf(text: string): SnapshotWanted {
  if (!text.startsWith('snapshot.')) return text
  const pairs = text.split(',').map((each) => each.slice('snapshot.'.length).split('='))
  return Object.fromEntries(pairs) as { id?: string; name?: string }
}
