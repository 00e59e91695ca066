/**
 * Proves that persistent bitmaps never say "clean" of what was written: over closing and opening, reopening, resizing,
 * power cuts and failing requests; and that the reference understands ours, and we its own.
 */

import {
  applySnapshot,
  changeDirtyBitmap,
  createSnapshot,
  DirtyBitmap,
  dirtyBitmapFacts,
  dirtyBitmapOf,
} from '@blocklayer/block-core'
import { FaultStore, filled, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkNewBitmap } from '../../../src/features/bitmap/persistent.ts'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { checkStore, KiB, MiB, newImage, type OpenDisk, openDisk, readAll } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }
const granularity = 4096

const dirty = ({ disk }: OpenDisk, name = 'b0') =>
  [...dirtyBitmapOf(disk.root, name).dirtyAreas()].map(({ offset, bytes }) => [offset, bytes])

async function withBitmap(options: Qcow2CreateOptions = {}, size = MiB) {
  const store = new MemoryStore(await newImage(size, options))
  const opened = await openDisk(store)
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity, persistent: true })
  return { store, opened }
}

test.each([{}, { clusterSize: 512, refcountBits: 64 }, { lazyRefcounts: true }] as Qcow2CreateOptions[])(
  'bits come back, and go on: %o',
  async (options) => {
    const { store, opened } = await withBitmap(options)
    await opened.disk.write(8 * KiB, filled(1, 6 * KiB))
    await opened.disk.write(MiB - 512, filled(2, 512))
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
    const again = await openDisk(store)
    expect(dirty(again)).toEqual([
      [8 * KiB, 8 * KiB],
      [MiB - 4 * KiB, 4 * KiB],
    ])
    await again.disk.discard(64 * KiB, 64 * KiB)
    await again.disk.write(512 * KiB, filled(3, 512))
    await changeDirtyBitmap(again.disk.root, {
      type: 'add',
      name: 'off',
      granularity: 65536,
      persistent: true,
      disabled: true,
    })
    await again.close()
    await using third = await openDisk(store, { readOnly: true })
    expect(dirty(third)).toContainEqual([512 * KiB, 4 * KiB])
    expect(dirtyBitmapFacts(third.disk.root)).toEqual([
      { name: 'off', recording: false, persistent: true, busy: false, granularity: 65536, count: 0 },
      expect.objectContaining({ name: 'b0', recording: true }),
    ])
    expect(await failureOf(() => changeDirtyBitmap(third.disk.root, { type: 'clear', name: 'b0' }))).toBe(
      "EPERM Bitmap 'b0' is readonly and cannot be modified",
    )
    expect(await checkStore(store)).toMatchObject(clean)
  },
)

test('while the image is open for writing, nobody trusts the bits on disk', async () => {
  const { store, opened } = await withBitmap()
  await opened.close()
  const writer = await openDisk(store)
  await writer.disk.write(0, filled(1, 512))
  await writer.disk.flush()
  const crashed = await openDisk(new MemoryStore(store.bytes()))
  expect(dirtyBitmapFacts(crashed.disk.root)).toMatchObject([{ name: 'b0', recording: false, inconsistent: true }])
  await changeDirtyBitmap(crashed.disk.root, { type: 'remove', name: 'b0' })
  await crashed.close()
  await writer.close()
})

test('a removed bitmap is gone, with all that it took', async () => {
  const { store, opened } = await withBitmap()
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b1', granularity, persistent: true })
  await opened.disk.write(0, filled(1, MiB))
  await opened.close()
  const again = await openDisk(store)
  await changeDirtyBitmap(again.disk.root, { type: 'remove', name: 'b0' })
  await again.close()
  const third = await openDisk(store)
  expect(dirtyBitmapFacts(third.disk.root)).toMatchObject([{ name: 'b1' }])
  await changeDirtyBitmap(third.disk.root, { type: 'remove', name: 'b1' })
  await third.close()
  expect(await checkStore(store)).toMatchObject(clean)
  await using last = await openDisk(store)
  expect(dirtyBitmapFacts(last.disk.root)).toEqual([])
})

test('bitmaps follow the size; one that cannot keeps it as it is', async () => {
  const { store, opened } = await withBitmap()
  await opened.disk.write(900 * KiB, filled(1, 512))
  await opened.disk.truncate(4 * MiB)
  await opened.disk.write(3 * MiB, filled(1, 512))
  await opened.disk.truncate(3 * MiB + 512)
  await opened.close()
  const again = await openDisk(store)
  expect(dirty(again)).toEqual([
    [900 * KiB, 4 * KiB],
    [3 * MiB, 512],
  ])
  const crashed = await openDisk(new MemoryStore(store.bytes()))
  expect(await failureOf(() => crashed.disk.truncate(MiB))).toBe(
    "ENOTSUP Bitmap 'b0' is inconsistent and cannot be used",
  )
  await crashed.close()
  await again.close()
})

test('a disk with bitmaps does not go back to a snapshot', async () => {
  const { opened } = await withBitmap()
  await createSnapshot(opened.disk, { name: 's' })
  expect(await failureOf(() => applySnapshot(opened.disk, 's'))).toBe('EBUSY Device has active dirty bitmaps')
  await opened.close()
})

describe('what an image cannot keep', () => {
  const reason = "Can't make bitmap 'b0' persistent in '"
  test.each([
    {
      options: { compat: '0.10' } as const,
      size: MiB,
      granularity: 4096,
      message: 'Cannot store dirty bitmaps in qcow2 v2 files',
    },
    {
      options: {},
      size: 8 * 1024 * 1024 * MiB,
      granularity: 512,
      message: 'Too much space will be occupied by the bitmap. Use larger granularity',
    },
  ])('$message', async ({ options, size, granularity: bits, message }) => {
    await using opened = await openDisk(new MemoryStore(await newImage(size, options)))
    const adding = () =>
      changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity: bits, persistent: true })
    const failure = await failureOf(adding)
    expect([failure.includes(reason), failure.endsWith(message)]).toEqual([true, true])
  })
})

test.each([
  { kept: 65535, name: 'b', message: 'EINVAL Maximum number of persistent bitmaps is already reached' },
  { kept: 65534, name: 'x'.repeat(1023), message: 'EINVAL Not enough space in the bitmap directory' },
])('$kept bitmaps: $message', async ({ kept, name, message }) => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  const bitmap = new DirtyBitmap({ length: MiB, granularity, name: 'x'.repeat(1023) })
  bitmap.persistent = true
  const nodeBitmaps = { ...image.nodeBitmaps, list: () => new Array<DirtyBitmap>(kept).fill(bitmap) }
  expect(await failureOf(() => checkNewBitmap({ ...image, nodeBitmaps }, name, granularity))).toBe(message)
})

test('a granularity that no entry can name', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  expect(await failureOf(() => checkNewBitmap(image, 'b', 2 ** 32))).toBe(
    'EINVAL Granularity exceeds maximum (2147483648 bytes)',
  )
})

test('what cannot be stored is lost with a word', async () => {
  const start = await newImage(MiB)
  const store = new FaultStore(start)
  const opened = await openDisk(store)
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity, persistent: true })
  await opened.disk.write(0, filled(1, 512))
  await opened.disk.flush()
  store.arm({ index: 0, forGood: true, code: 'EIO' })
  await opened.close().catch(() => {})
  expect(opened.lines[0]).toMatch(/^error: Lost persistent bitmaps during inactivation of node '[^']+': /)
})

/** No bitmap of the image in `store` that can be used calls clean what differs from `before`. */
async function neverWrong(store: MemoryStore, before: Uint8Array, what: string): Promise<'usable' | 'not'> {
  await using opened = await openDisk(store, { readOnly: true })
  const content = await readAll(opened.disk)
  const facts = dirtyBitmapFacts(opened.disk.root)
  if (facts.length === 0 || facts.some(({ inconsistent }) => inconsistent === true)) return 'not'
  const bitmap = dirtyBitmapOf(opened.disk.root, 'b0')
  for (let at = 0; at < content.length; at += 512) {
    if (content[at] !== before[at] && !bitmap.isDirty(at))
      expect.fail(`${what}: byte ${at} was written and counts as clean`)
  }
  return 'usable'
}

test('whenever the power fails', async () => {
  const { store: first, opened } = await withBitmap({ clusterSize: 4096 }, 256 * KiB)
  await opened.disk.write(64 * KiB, filled(5, 4 * KiB))
  await opened.close()
  const before = new Uint8Array(256 * KiB)
  await using reading = await openDisk(first, { readOnly: true })
  before.set(await readAll(reading.disk))
  const store = new PowerLossStore(first.bytes())
  const writer = await openDisk(store)
  await writer.disk.write(0, filled(1, 20 * KiB))
  await writer.disk.flush()
  await writer.disk.write(128 * KiB, filled(2, 4 * KiB))
  await writer.close()
  const seen = new Set<string>()
  for (const { name, store: cut } of store.crashStates({ tear: 512 })) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    seen.add(await neverWrong(cut, before, name))
  }
  expect([...seen].sort()).toEqual(['not', 'usable'])
})

test('with the 1st, 2nd, 3rd… request failing', async () => {
  const { store: first, opened } = await withBitmap({ clusterSize: 4096 }, 256 * KiB)
  await opened.close()
  const before = new Uint8Array(256 * KiB)
  for (let index = 0; ; index++) {
    const store = new FaultStore(first.bytes())
    store.arm({ index, forGood: false, code: 'EIO' })
    try {
      const writer = await openDisk(store)
      await writer.disk.write(0, filled(1, 20 * KiB)).catch(() => {})
      await writer.close().catch(() => {})
    } catch {
      // The open itself failed.
    }
    const { hit } = store
    store.disarm()
    await neverWrong(store, before, `request ${index}`)
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, corruptions: 0, checkErrors: 0 })
    if (!hit) break
  }
})

test('removing: what fails before leaves no leak, what fails afterwards is no failure', async () => {
  const { store: first, opened } = await withBitmap({ clusterSize: 4096 }, 256 * KiB)
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b1', granularity, persistent: true })
  await opened.disk.write(0, filled(1, 4 * KiB))
  await opened.close()
  const remove = ({ disk }: OpenDisk) => changeDirtyBitmap(disk.root, { type: 'remove', name: 'b0' })
  for (let index = 0, hit = true; hit; index++) {
    const store = new FaultStore(first.bytes())
    const writer = await openDisk(store)
    store.arm({ index, forGood: false, code: 'EIO', kinds: ['write'] })
    const failed = await remove(writer).then(
      () => false,
      () => true,
    )
    hit = store.hit
    store.disarm()
    if (failed) await remove(writer)
    await writer.close()
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, ...clean })
  }
  const store = new FaultStore(first.bytes())
  const writer = await openDisk(store)
  await writer.disk.write(128 * KiB, filled(2, 4 * KiB))
  store.arm({ index: 0, forGood: true, code: 'EIO', kinds: ['read'] })
  await remove(writer)
  store.disarm()
  expect(writer.lines).toContain('qcow2_free_clusters failed: Input/output error')
  await writer.close()
})

test('a power cut while the first bitmap comes, or the last one goes, leaves the name of the backing file whole', async () => {
  // Its end comes into the second sector of the file.
  const filename = 'n'.repeat(380)
  const start = await newImage(256 * KiB, { clusterSize: 4096 }, { filename, format: undefined })
  const run = async (image: Uint8Array, type: 'add' | 'remove'): Promise<Uint8Array> => {
    const store = new PowerLossStore(image)
    const writer = await openDisk(store)
    await changeDirtyBitmap(
      writer.disk.root,
      type === 'add' ? { type, name: 'b0', granularity, persistent: true } : { type, name: 'b0' },
    )
    await writer.close()
    for (const { name, store: cut } of store.crashStates({ tear: 512 })) {
      const { reference } = await openOn(new MemoryChild(cut.bytes()), { readOnly: true })
      expect({ type, name, filename: reference()?.filename }).toEqual({ type, name, filename })
    }
    return store.bytes()
  }
  await run(await run(start, 'add'), 'remove')
})

// Fields of later versions of the format push the extension to where its 24 bytes lie in two sectors of the file.
test.each([488, 496])('a power cut with the extension in two sectors (header of %i bytes)', async (headerLength) => {
  const bytes = await newImage(128 * KiB, { clusterSize: 4096 })
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(100, headerLength)
  const first = new MemoryStore(bytes)
  const opened = await openDisk(first)
  for (const name of ['b0', 'b1']) {
    await changeDirtyBitmap(opened.disk.root, { type: 'add', name, granularity, persistent: true })
  }
  await opened.disk.write(64 * KiB, filled(5, 4 * KiB))
  await opened.close()
  const before = new Uint8Array(128 * KiB)
  before.fill(5, 64 * KiB, 68 * KiB)
  const store = new PowerLossStore(first.bytes())
  const writer = await openDisk(store)
  await changeDirtyBitmap(writer.disk.root, { type: 'remove', name: 'b1' })
  await writer.close()
  const seen = new Set<string>()
  for (const { name, store: cut } of store.crashStates({ tear: 512 })) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    seen.add(await neverWrong(cut, before, name))
  }
  expect([...seen].sort()).toEqual(['not', 'usable'])
  await using reading = await openDisk(store, { readOnly: true })
  expect(dirtyBitmapFacts(reading.disk.root).map(({ name }) => name)).toEqual(['b0'])
})

// The end mark of the extensions stands where the extension of the bitmaps stood, in the second sector.
test('a power cut while the last bitmap goes leaves extensions that can be read', async () => {
  const backing = new MemoryStore(await newImage(128 * KiB))
  const based = { filename: 'base', format: 'qcow2' }
  const first = new MemoryStore(await newImage(128 * KiB, { clusterSize: 8192 }, based))
  const opened = await openDisk(first, { backing })
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity, persistent: true })
  await opened.close()
  const store = new PowerLossStore(first.bytes())
  const writer = await openDisk(store, { backing })
  await changeDirtyBitmap(writer.disk.root, { type: 'remove', name: 'b0' })
  await writer.close()
  for (const { name, store: cut } of store.crashStates({ tear: 512, samples: 4 })) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
  }
})

describeWithReference('the reference', () => {
  test('stores the same bits, and goes on with ours', async () => {
    using folder = new TemporaryFolder()
    const theirs = folder.file('theirs')
    const ours = folder.file('ours')
    const start = await newImage(4 * MiB)
    writeFileSync(theirs, start)
    qemuImg('bitmap', '--add', '-g', '4096', theirs, 'b0')
    qemuIo(theirs, 'write 12k 9k', 'write 3M 64k')
    await using reading = await openDisk(new MemoryStore(readFileSync(theirs)), { readOnly: true })
    const bits = dirty(reading)
    expect(bits).toEqual([
      [12 * KiB, 12 * KiB],
      [3 * MiB, 64 * KiB],
    ])
    const store = new MemoryStore(start)
    const opened = await openDisk(store)
    await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity, persistent: true })
    await opened.disk.write(12 * KiB, filled(1, 9 * KiB))
    await opened.disk.write(3 * MiB, filled(1, 64 * KiB))
    await opened.close()
    writeFileSync(ours, store.bytes())
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
    const info = JSON.parse(qemuImg('info', '--output=json', ours).out)
    expect(info['format-specific'].data.bitmaps).toEqual([{ flags: ['auto'], name: 'b0', granularity }])
    qemuIo(ours, 'write 1M 4k')
    await using after = await openDisk(new MemoryStore(readFileSync(ours)))
    expect(dirty(after)).toEqual([bits[0], [MiB, 4 * KiB], bits[1]])
  })
})
