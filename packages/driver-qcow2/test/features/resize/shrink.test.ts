/**
 * Proves that a disk becomes shorter as a whole or not at all, whenever the power fails and whatever request fails; that
 * nothing of what was cut off comes back; and that the file gives its space back.
 */

import { expectSameBytes, FaultStore, filled, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { shrink } from '../../../src/features/resize/shrink.ts'
import { checkStore, KiB, MiB, newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const small: Qcow2CreateOptions = { clusterSize: 512, refcountBits: 64 }

const subclusters: Qcow2CreateOptions = { clusterSize: 16384, extendedL2: true }

/** An image of 1 MiB with data at its beginning, in the middle of an L2 table, and at its end. */
async function filledImage(options: Qcow2CreateOptions, size = MiB): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(size, options))
  await using opened = await openDisk(store)
  await opened.disk.write(0, filled(1, 16 * KiB))
  await opened.disk.write(size / 2 - 8 * KiB, filled(2, 16 * KiB))
  await opened.disk.write(size - 64 * KiB, filled(3, 64 * KiB))
  await opened.close()
  return store.bytes()
}

test.each([
  { to: MiB - 512, end: 'in the last cluster' },
  { to: MiB / 2 + 512, end: 'in the middle of an L2 table' },
  { to: MiB / 2, end: 'between two L2 tables' },
  { to: 512, end: 'in the first cluster' },
  { to: 0, end: 'at the beginning' },
])('the new end lies $end', async ({ to }) => {
  for (const options of [
    small,
    { clusterSize: 65536 },
    subclusters,
    { ...small, compat: '1.1', lazyRefcounts: true } as const,
  ]) {
    const store = new MemoryStore(await filledImage(options))
    const before = await openDisk(store, { readOnly: true })
    const content = await readAll(before.disk)
    await before.close()
    const fileBefore = store.length
    const opened = await openDisk(store)
    await opened.disk.truncate(to)
    expect(opened.disk.length).toBe(to)
    expectSameBytes(await readAll(opened.disk), content.subarray(0, to), 'shorter')
    await opened.disk.truncate(MiB)
    const grown = content.slice().fill(0, to)
    expectSameBytes(await readAll(opened.disk), grown, 'longer again')
    await opened.disk.write(MiB - 1024, filled(9, 1024))
    await opened.close()
    expect(await checkStore(store)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 })
    if (to < MiB / 2) expect(store.length).toBeLessThan(fileBefore)
  }
})

test('the backing file does not come back either', async () => {
  const backing = new MemoryStore(await newImage(MiB))
  const below = await openDisk(backing)
  await below.disk.write(0, filled(7, MiB))
  await below.close()
  const store = new MemoryStore(await newImage(MiB))
  await using opened = await openDisk(store, { backing })
  await opened.disk.truncate(64 * KiB)
  await opened.disk.truncate(MiB)
  const content = await readAll(opened.disk)
  expect([content[0], content[64 * KiB - 1], content.subarray(64 * KiB).every((byte) => byte === 0)]).toEqual([
    7,
    7,
    true,
  ])
})

test('refcount blocks that count nothing any more go', async () => {
  const store = new MemoryStore(await newImage(MiB, small))
  await using opened = await openDisk(store)
  await opened.disk.write(0, filled(1, MiB))
  await opened.disk.flush()
  const full = store.length
  await opened.disk.truncate(4 * KiB)
  await opened.close()
  expect(full).toBeGreaterThan(MiB)
  expect(store.length).toBeLessThan(64 * KiB)
  expect(await checkStore(store)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 })
})

test('preallocation is for growing', async () => {
  await using opened = await openDisk(new MemoryStore(await newImage(MiB)))
  expect(await failureOf(() => opened.disk.truncate(512, { preallocation: 'full' }))).toBe(
    "EINVAL Preallocation can't be used for shrinking an image",
  )
})

// Everything that a cut may leave: the old disk as a whole, or the new one, and leaks at most.
test.each([
  { name: 'small clusters', options: small, tear: 512 },
  { name: 'version 2', options: { clusterSize: 512, compat: '0.10' } as const, tear: 512 },
  { name: 'default clusters', options: {}, tear: undefined },
])('power cuts: $name', async ({ options, tear }) => {
  const start = await filledImage(options, MiB)
  const content = new Uint8Array(MiB)
  await using whole = await openDisk(new MemoryStore(start), { readOnly: true })
  await whole.disk.read(0, content)
  const store = new PowerLossStore(start)
  const opened = await openDisk(store)
  await opened.disk.truncate(MiB / 2 + 512)
  await opened.close()
  const seen = new Set<number>()
  for (const { name, store: cut } of store.crashStates(tear === undefined ? {} : { tear })) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    await using after = await openDisk(cut)
    seen.add(after.disk.length)
    expectSameBytes(await readAll(after.disk), content.subarray(0, after.disk.length), name)
  }
  expect([...seen].sort((a, b) => a - b)).toEqual([MiB / 2 + 512, MiB])
})

test.each([false, true])('the 1st, 2nd, 3rd… request fails, for good: %s', async (forGood) => {
  const start = await filledImage(small)
  await using whole = await openDisk(new MemoryStore(start), { readOnly: true })
  const content = await readAll(whole.disk)
  let failures = 0
  for (let index = 0; ; index++) {
    const store = new FaultStore(start)
    const opened = await openDisk(store)
    store.arm({ index, forGood, code: 'EIO' })
    let failed = false
    await opened.disk.truncate(MiB / 2 + 512).catch(() => {
      failed = true
    })
    const { hit } = store
    store.disarm()
    const { length } = opened.disk
    // A failed flush leaves open which size the disk has; what it shows must fit either way.
    expectSameBytes(await readAll(opened.disk), content.subarray(0, length), `request ${index}`)
    if (!failed) expect(length).toBe(MiB / 2 + 512)
    await opened.close().catch(() => {})
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, corruptions: 0, checkErrors: 0 })
    if (failed) failures++
    if (!hit) break
  }
  expect(failures).toBeGreaterThan(5)
})

describe('messages', () => {
  const cluster = 65536

  async function open() {
    const file = new MemoryChild(await filledImage({ clusterSize: cluster }, 2 * 512 * MiB))
    return { file, ...(await openOn(file)) }
  }

  test.each([
    {
      what: 'tables',
      fails: 'read',
      at: undefined,
      message: 'EIO Failed to discard cropped clusters: Input/output error',
    },
    {
      what: 'header',
      fails: 'write',
      at: 24,
      message: 'EIO Failed to reduce the number of L2 tables: Input/output error',
    },
  ] as const)('of the $what', async ({ fails, at, message }) => {
    const { file, image } = await open()
    file.fail = ({ kind, offset }) => (kind === fails && (at === undefined || offset === at) ? 'EIO' : undefined)
    expect(await failureOf(() => shrink(image, 64 * KiB))).toBe(message)
    expect(image.header.header.size).toBe(2 * 512 * MiB)
  })

  test('of the size, where nothing is mapped beyond the new end', async () => {
    const file = new MemoryChild(await newImage(MiB))
    const { image } = await openOn(file)
    file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
    expect(await failureOf(() => shrink(image, 512))).toBe('EIO Failed to update the image size: Input/output error')
  })

  test('of what is only a leak, or too long a file', async () => {
    const { file, image, lines } = await open()
    file.fail = ({ kind }) => (kind === 'truncate' ? 'EIO' : undefined)
    await shrink(image, 64 * KiB)
    expect(lines).toEqual(['warning: Failed to truncate the tail of the image: Input/output error'])
    const other = await open()
    other.file.fail = ({ kind, offset }) => {
      const isNew = other.image.header.header.size === 64 * KiB
      return isNew && kind === 'write' && offset > 24 ? 'EIO' : undefined
    }
    await shrink(other.image, 64 * KiB)
    expect(other.lines).toEqual([
      'qcow2_free_clusters failed: Input/output error',
      'warning: Failed to truncate the tail of the image: Input/output error',
    ])
  })
})

describeWithReference('the reference', () => {
  test.each([small, {}, { clusterSize: 4096, compat: '0.10' } as const])(
    'finds the same disk after its own: %o',
    async (options) => {
      using folder = new TemporaryFolder()
      const ours = folder.file('ours.qcow2')
      const theirs = folder.file('theirs.qcow2')
      const start = await filledImage(options)
      writeFileSync(theirs, start)
      const store = new MemoryStore(start)
      const opened = await openDisk(store)
      await opened.disk.truncate(MiB / 2 + 512)
      await opened.close()
      writeFileSync(ours, store.bytes())
      expect(qemuImg('resize', '-f', 'qcow2', '--shrink', theirs, String(MiB / 2 + 512)).code).toBe(0)
      expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
      expect(qemuImg('compare', ours, theirs).code).toBe(0)
      expect(qemuIo(ours, 'write -P 5 0 512', `read -P 5 0 512`)).toContain('read 512/512')
      expect(readFileSync(ours).length).toBeLessThanOrEqual(readFileSync(theirs).length + 65536)
    },
  )

  test('keeps its snapshot when the disk shrinks under it', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image.qcow2')
    writeFileSync(image, await filledImage({ clusterSize: 4096 }))
    expect(qemuImg('snapshot', '-c', 's', image).code).toBe(0)
    qemuIo(image, 'write -P 8 520k 64k')
    const store = new MemoryStore(readFileSync(image))
    const opened = await openDisk(store)
    await opened.disk.truncate(MiB / 2 + 4096)
    await opened.close()
    writeFileSync(image, store.bytes())
    expect(qemuImg('check', image)).toMatchObject({ code: 0, err: '' })
    expect(qemuImg('snapshot', '-a', 's', image).code).toBe(0)
    expect(qemuIo(image, 'read -P 2 504k 16k', 'read -P 3 960k 64k')).not.toContain('failed')
    expect(qemuImg('check', image)).toMatchObject({ code: 0, err: '' })
  })
})

test('a power cut finds what the tables on disk refer to, also at the end of the file', async () => {
  const first = new MemoryStore(await newImage(256 * KiB, { clusterSize: 4096 }))
  const opened = await openDisk(first, { unmap: true })
  await opened.disk.write(0, filled(4, 4 * KiB))
  await opened.disk.writeCompressed(4 * KiB, filled(5, 4 * KiB))
  await opened.disk.discard(0, 4 * KiB)
  await opened.close()
  const store = new PowerLossStore(first.bytes())
  const writer = await openDisk(store)
  // It takes the hole, and leaves the last cluster of the file free, as soon as that is on disk.
  await writer.disk.write(4 * KiB, filled(6, 4 * KiB))
  await writer.disk.truncate(128 * KiB)
  await writer.close()
  for (const { name, store: cut } of store.crashStates({ tear: 512 })) {
    await using after = await openDisk(cut, { readOnly: true })
    const cluster = new Uint8Array(4 * KiB)
    await after.disk.read(4 * KiB, cluster)
    const old = cluster.every((byte) => byte === 5)
    const now = cluster.every((byte) => byte === 6)
    expect({ name, found: old || now }).toEqual({ name, found: true })
  }
})
