/** Proves what is particular about images whose guest data lies in a file of its own. */

import { amendImage, type BlockBackend } from '@blocklayer/block-core'
import { FaultStore, filled, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { decodeHeader } from '../src/format/header.ts'
import { decodeBackingFile, decodeExtensions, nameText } from '../src/format/header-extension.ts'
import { type OpenDiskOptions, checkStore, KiB, newImage, openDisk, readAll } from './helpers/disk.ts'
import { MemoryChild } from './helpers/memory-child.ts'
import { failureOf, openOn } from './helpers/open-on.ts'

const cluster = 4 * KiB
const size = 16 * cluster
const copied = 0x80000000

interface World {
  readonly store: MemoryStore
  readonly data: FaultStore
}

async function world(options: Qcow2CreateOptions = {}): Promise<World> {
  const image = await newImage(size, { clusterSize: cluster, dataFile: 'data', ...options })
  return { store: new MemoryStore(image), data: new FaultStore(filled(0xee, size)) }
}

const open = ({ store, data }: World, how: OpenDiskOptions = {}) => openDisk(store, { data, unmap: true, ...how })

/** Replaces the L2 entry of guest cluster `index`; cluster 0 has been written. */
function setEntry(store: MemoryStore, index: number, high: number, low: number): void {
  const view = new DataView(store.bytes().buffer)
  const { l1TableOffset } = decodeHeader(store.bytes())
  const entry = new Uint8Array(8)
  new DataView(entry.buffer).setUint32(0, high)
  new DataView(entry.buffer).setUint32(4, low)
  store.write(view.getUint32(l1TableOffset + 4) + index * 8, entry)
}

async function written(options: Qcow2CreateOptions = {}): Promise<World> {
  const each = await world(options)
  await using opened = await open(each)
  await opened.disk.write(0, filled(1, cluster))
  await opened.disk.write(5 * cluster, filled(6, cluster))
  return each
}

test('every cluster lies at its guest offset; around a write the file shows zeroes, whatever was there', async () => {
  const each = await world()
  await using opened = await open(each)
  await opened.disk.write(3 * cluster + 512, filled(7, 512))
  const bytes = each.data.bytes()
  expect(bytes.subarray(3 * cluster, 3 * cluster + 512)).toEqual(filled(0, 512))
  expect(bytes.subarray(3 * cluster + 512, 3 * cluster + 1024)).toEqual(filled(7, 512))
  expect(bytes.subarray(3 * cluster + 1024, 4 * cluster)).toEqual(filled(0, cluster - 1024))
  expect(bytes[4 * cluster]).toBe(0xee)
  expect((await readAll(opened.disk)).filter((byte) => byte !== 0)).toEqual(filled(7, 512))
})

describe('entries that cannot be', () => {
  const message =
    'External data file host cluster offset 0x6000 does not match guest cluster offset: 0x5000, L2 index: 0x5)'
  const compressed =
    'Compressed cluster entry found in image with external data file (L2 offset: 0x4000, L2 index: 0x5)'

  test.each([
    { what: 'another place', entry: [copied, 0x6000], message },
    { what: 'compressed', entry: [0x40000000, 0x6000], message: compressed },
  ])('$what: a read is refused', async ({ entry, message: text }) => {
    const each = await written()
    setEntry(each.store, 5, entry[0]!, entry[1]!)
    await using opened = await open(each)
    expect(await failureOf(() => opened.disk.read(5 * cluster, new Uint8Array(512)))).toBe('EIO Input/output error')
    expect(opened.lines[0]).toContain(`Marking image as corrupt: ${text};`)
  })

  // The reference writes to the place that the entry names, which is another guest cluster's.
  test('another place: a write is refused as well, and a discard leaves that place alone', async () => {
    const each = await written()
    setEntry(each.store, 5, copied, 0)
    const discarding = await open(each)
    await discarding.disk.discard(5 * cluster, cluster)
    await discarding.close()
    expect(each.data.bytes().subarray(0, cluster)).toEqual(filled(1, cluster))
    setEntry(each.store, 5, copied, 0x6000)
    await using opened = await open(each)
    expect(await failureOf(() => opened.disk.write(5 * cluster, filled(9, 512)))).toBe('EIO Input/output error')
    expect(opened.lines[0]).toContain(`Marking image as corrupt: ${message};`)
    expect(each.data.bytes()[6 * cluster]).toBe(0xee)
  })

  // Nothing counts what such an entry names, here the L1 table: to give it back would be to give away somebody else's.
  test.each([
    { what: 'write', change: (disk: BlockBackend) => disk.write(5 * cluster, filled(9, cluster)), byte: 9, told: 1 },
    { what: 'discard', change: (disk: BlockBackend) => disk.discard(5 * cluster, cluster), byte: 0, told: 0 },
    { what: 'zero write', change: (disk: BlockBackend) => disk.writeZeroes(5 * cluster, cluster), byte: 0, told: 0 },
  ])('compressed: a $what replaces the entry, and frees nothing', async ({ change, byte, told }) => {
    const each = await written()
    setEntry(each.store, 5, 0x40000000, decodeHeader(each.store.bytes()).l1TableOffset)
    const opened = await open(each)
    await change(opened.disk)
    expect((await readAll(opened.disk)).subarray(5 * cluster, 6 * cluster)).toEqual(filled(byte, cluster))
    const text = /Image is corrupt: Compressed cluster entry 0x4[0-9a-f]{15} found in image with external data file;/
    expect(opened.lines.map((line) => text.test(line))).toEqual(new Array(told).fill(true))
    await opened.close()
    expect(await checkStore(each.store, each.data)).toMatchObject({ corruptions: 0, leaks: 0 })
  })

  test('what a check says', async () => {
    const each = await written()
    setEntry(each.store, 5, 0x40000000, 0x6000)
    expect(await checkStore(each.store, each.data)).toMatchObject({
      corruptions: 1,
      leaks: 0,
      lines: ['ERROR compressed cluster 5 with data file, entry=0x4000000000006000'],
    })
    setEntry(each.store, 5, 0, 0x5000)
    expect(await checkStore(each.store, each.data)).toMatchObject({
      corruptions: 1,
      lines: ['ERROR OFLAG_COPIED data cluster: l2_entry=5000 refcount=1'],
    })
    await using opened = await open(each, { check: true })
    expect(await opened.disk.check({ repair: 'all' })).toMatchObject({ corruptions: 0, corruptionsFixed: 1 })
  })
})

describe('what data files have not', () => {
  test('compressed clusters', async () => {
    await using opened = await open(await world())
    expect(await failureOf(() => opened.disk.writeCompressed(0, filled(1, cluster)))).toContain('ENOTSUP')
  })

  test('internal snapshots', async () => {
    const { image } = await openOn(new MemoryChild((await world()).store.bytes()), { data: new MemoryChild() })
    const { Qcow2Layer } = await import('../src/qcow2-layer.ts')
    const { snapshots } = new Qcow2Layer(image)
    expect(await failureOf(() => snapshots.apply('s'))).toBe('ENOTSUP Operation not supported')
    expect(await failureOf(() => snapshots.delete('s'))).toBe('ENOTSUP Operation not supported')
  })

  test('a backing file under a raw one', async () => {
    const { changeBacking } = await import('../src/features/change-backing.ts')
    const raw = await world({ dataFileRaw: true })
    const { image } = await openOn(new MemoryChild(raw.store.bytes()), { data: new MemoryChild() })
    expect(await failureOf(() => changeBacking(image, { filename: 'b', format: 'raw' }))).toBe(
      'EINVAL Invalid argument',
    )
    await changeBacking(image, undefined)
  })
})

describe('giving space up', () => {
  test('a discard leaves a hole at the guest offset, unless the options say no', async () => {
    const each = await written()
    await using kept = await open(each, { qcow2: { passDiscardRequest: false } })
    await kept.disk.discard(0, cluster)
    expect([each.data.bytes()[0], (await readAll(kept.disk))[0]]).toEqual([1, 0])
    await kept.disk.discard(5 * cluster, cluster)
    await kept.close()
    const again = await written()
    await using opened = await open(again)
    await opened.disk.discard(0, cluster)
    expect([again.data.bytes()[0], (await readAll(opened.disk))[0]]).toEqual([0, 0])
  })

  // The reference takes the cluster out of the mapping all the same: the guest then sees zeroes, and the file does not.
  test('a raw data file shows what the guest sees', async () => {
    const each = await written({ dataFileRaw: true })
    const kept = await open(each, { qcow2: { passDiscardRequest: false } })
    await kept.disk.discard(0, cluster)
    expect([each.data.bytes()[0], (await readAll(kept.disk))[0]]).toEqual([1, 1])
    await kept.disk.writeZeroes(cluster, cluster)
    expect(each.data.bytes().subarray(cluster, 2 * cluster)).toEqual(filled(0, cluster))
    await kept.close()
    await using opened = await open(each)
    await opened.disk.discard(5 * cluster, cluster)
    expect(each.data.bytes().subarray(5 * cluster, 6 * cluster)).toEqual(filled(0, cluster))
    await opened.disk.makeEmpty()
    expect(each.data.bytes()).toEqual(filled(0, size))
  })

  test('a discard up to the end of a raw disk gives the place of its last cluster up, subclusters or not', async () => {
    for (const extendedL2 of [false, true]) {
      const unit = 16 * KiB
      const layout = { clusterSize: unit, extendedL2, dataFile: 'data', dataFileRaw: true }
      const length = 2 * unit + 5 * 512
      const each = { store: new MemoryStore(await newImage(length, layout)), data: new FaultStore(filled(0, length)) }
      await using opened = await open(each)
      await opened.disk.write(0, filled(1, length))
      await opened.disk.discard(unit, length - unit)
      const status = await opened.disk.blockStatus(unit, length - unit)
      expect(status).toMatchObject({ bytes: length - unit, zero: true, data: false })
      expect(status.hostOffset).toBeUndefined()
      expect(each.data.bytes().subarray(unit, length)).toEqual(filled(0, length - unit))
    }
  })

  test('emptying punches what was mapped when nothing refers to it any more', async () => {
    const each = await written()
    await using opened = await open(each, { rawBacking: new MemoryStore(filled(0xbb, size)) })
    await opened.disk.makeEmpty()
    expect(await readAll(opened.disk)).toEqual(filled(0xbb, size))
    expect([0, 5, 7].map((index) => each.data.bytes()[index * cluster])).toEqual([0, 0, 0xee])
    await opened.close()
    expect(await checkStore(each.store, each.data)).toMatchObject({ corruptions: 0, leaks: 0 })
  })

  test('what could not be emptied is not punched later, when it has been written again', async () => {
    const each = await written()
    const store = new FaultStore(each.store.bytes())
    await using opened = await openDisk(store, { data: each.data, unmap: true })
    store.arm({ index: 0, kinds: ['flush'], code: 'EIO' })
    expect(await failureOf(() => opened.disk.makeEmpty())).toContain('Input/output error')
    await opened.disk.write(0, filled(9, cluster))
    await opened.disk.discard(cluster, cluster)
    expect(each.data.bytes().subarray(0, cluster)).toEqual(filled(9, cluster))
  })
})

describe('changing the size', () => {
  test.each([false, true])(
    'the data file follows, and what it held behind the disk never shows (raw: %s)',
    async (raw) => {
      const each = await world({ dataFileRaw: raw })
      if (raw) each.data.write(0, filled(0, size))
      each.data.write(size, filled(0xdd, 4 * cluster))
      await using opened = await open(each)
      await opened.disk.truncate(size + cluster)
      expect([each.data.length, await readAll(opened.disk)]).toEqual([size + cluster, filled(0, size + cluster)])
      await opened.disk.truncate(cluster)
      expect(each.data.length).toBe(cluster)
      await opened.disk.truncate(size, { preallocation: 'metadata' })
      expect([each.data.length, await readAll(opened.disk)]).toEqual([size, filled(0, size)])
      const status = await opened.disk.blockStatus(0, size)
      expect(status).toMatchObject({ bytes: raw ? size : cluster, data: raw })
      await opened.close()
      expect(await checkStore(each.store, each.data)).toMatchObject({ corruptions: 0, leaks: 0 })
    },
  )

  test('a data file that cannot grow keeps the disk as it is; one that cannot be cut is no harm', async () => {
    const each = await world()
    await using opened = await open(each)
    each.data.arm({ index: 0, kinds: ['resize'], code: 'ENOSPC', forGood: true })
    expect(await failureOf(() => opened.disk.truncate(2 * size))).toBe(
      'ENOSPC Failed to grow the data file: No space left on device',
    )
    expect(opened.disk.length).toBe(size)
    await opened.disk.truncate(cluster)
    expect(opened.lines).toEqual(['warning: Failed to truncate the data file: No space left on device'])
    expect([opened.disk.length, each.data.length]).toEqual([cluster, size])
  })
})

test('shrinking leaves a place alone that an entry behind the end names as its own', async () => {
  const each = await written()
  setEntry(each.store, 9, copied, 0)
  await using opened = await open(each)
  await opened.disk.truncate(8 * cluster)
  expect([each.data.length, each.data.bytes()[0], each.data.bytes()[5 * cluster]]).toEqual([8 * cluster, 1, 6])
})

test('the bit of a raw data file outlives that of bitmaps which are not there', async () => {
  const { store, data } = await world({ dataFileRaw: true })
  store.write(95, Uint8Array.of(3))
  const opened = await openDisk(store, { data })
  await opened.close()
  expect(store.bytes()[95]).toBe(2)
})

describe('amending', () => {
  // The backing file name stands in the second sector, and moves.
  test('a power cut leaves the old name or the new one', async () => {
    const options = { clusterSize: 64 * KiB, dataFile: 'data' }
    const store = new PowerLossStore(await newImage(64 * KiB, options, { filename: 'base', format: 'raw' }))
    await using opened = await openDisk(store, { data: new MemoryStore(filled(0, 64 * KiB)) })
    await amendImage(opened.disk, { data_file: 'one' })
    await opened.disk.flush()
    const from = store.currentInterval
    await amendImage(opened.disk, { data_file: 'another one' })
    const seen = new Set<string>()
    for (const { store: cut } of store.crashStates({ tear: 512, exhaustive: 6, samples: 10, from })) {
      const first = cut.bytes().subarray(0, 64 * KiB)
      const header = decodeHeader(first)
      const { dataFile } = decodeExtensions(header, first)
      seen.add(`${nameText(dataFile)} over ${nameText(decodeBackingFile(header, first))}`)
    }
    expect([...seen].sort()).toEqual(['another one over base', 'one over base'])
  })

  test('the name of the data file, and whether it is raw', async () => {
    const each = await written({ dataFileRaw: true })
    await using opened = await open(each)
    const facts = () => opened.disk.info.specific?.data
    expect(facts()).toMatchObject({ 'data-file': 'data', 'data-file-raw': true })
    await amendImage(opened.disk, { data_file: 'other', data_file_raw: 'on' })
    expect(facts()).toMatchObject({ 'data-file': 'other', 'data-file-raw': true })
    await amendImage(opened.disk, { data_file: '', data_file_raw: 'off' })
    expect(facts()).toMatchObject({ 'data-file-raw': false })
    expect(facts()).not.toHaveProperty('data-file')
    expect(await failureOf(() => amendImage(opened.disk, { data_file_raw: 'on' }))).toBe(
      'EINVAL data-file-raw cannot be set on existing images',
    )
    expect(await failureOf(() => amendImage(opened.disk, { compat: '0.10' }))).toBe(
      'ENOTSUP Cannot downgrade an image with a data file',
    )
    expect((await readAll(opened.disk))[0]).toBe(1)
  })
})
