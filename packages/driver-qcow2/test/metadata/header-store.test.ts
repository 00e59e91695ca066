/** Proves what each header write puts on disk, and that memory never says more than a successful write has done. */

import { createSnapshot } from '@blocklayer/block-core'
import { BlockError } from '@blocklayer/block-core/driver'
import { FaultStore, forEachFault } from '@blocklayer/block-core/testing'
import { beforeEach, expect, test } from 'vitest'
import { decodeHeader } from '../../src/format/header.ts'
import { noExtensions } from '../../src/format/header-extension.ts'
import { HeaderStore } from '../../src/metadata/header-store.ts'
import { readHeader } from '../../src/open/read-header.ts'
import { newImage, openDisk } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf } from '../helpers/open-on.ts'

let file: MemoryChild
let store: HeaderStore

beforeEach(async () => {
  file = new MemoryChild(await newImage(1024 * 1024))
  store = new HeaderStore(file, (await readHeader(file)).header, noExtensions)
})

const steps = (): string[] =>
  file.log.map(({ kind, offset, bytes }) => (kind === 'write' ? `${bytes}@${offset}` : kind))
const onDisk = async () => (await readHeader(file)).header

test('single fields are written with a flush each', async () => {
  await store.storeSize(2 * 1024 * 1024)
  await store.storeL1({ l1Size: 5, l1TableOffset: 0x70000 })
  await store.storeRefcountTable({ refcountTableOffset: 0x90000, refcountTableClusters: 2 })
  await store.storeL1AndRefcountTable({
    l1TableOffset: 0x30000,
    refcountTableOffset: 0x10000,
    refcountTableClusters: 1,
  })
  await store.storeSnapshotTable({ nbSnapshots: 3, snapshotsOffset: 0xa0000 })
  await store.storeSnapshotCount(2)
  await store.storeMapping({ size: 4194304, l1Size: 6, l1TableOffset: 0x40000 })
  expect(steps()).toEqual(
    ['8@24', '12@36', '12@48', '20@40', '12@60', '4@60', '24@24'].flatMap((write) => [write, 'flush']),
  )
  expect(await onDisk()).toEqual(store.header)
  expect(store.header).toMatchObject({ size: 4194304, l1Size: 6, l1TableOffset: 0x40000, nbSnapshots: 2 })
})

// Both fields lie in the first sector, and one request changes them.
test('another refcount table and another width are one write', async () => {
  await store.storeRefcountStructures({ refcountTableOffset: 0x90000, refcountTableClusters: 2, refcountOrder: 6 })
  expect(steps()).toEqual(['52@48', 'flush'])
  expect(await onDisk()).toEqual(store.header)
  expect(store.header).toMatchObject({ refcountTableOffset: 0x90000, refcountTableClusters: 2, refcountOrder: 6 })
})

test('after a failed write the old values stand, after a failed flush the new', async () => {
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => store.storeSize(512))).toBe('EIO Input/output error')
  expect(store.header.size).toBe(1024 * 1024)
  file.fail = ({ kind }) => (kind === 'flush' ? 'EIO' : undefined)
  expect(await failureOf(() => store.storeSize(512))).toBe('EIO Input/output error')
  expect([store.header.size, (await onDisk()).size]).toEqual([512, 512])
})

test('the dirty mark counts in memory only when it is durable', async () => {
  file.fail = ({ kind }) => (kind === 'flush' ? 'EIO' : undefined)
  expect(await failureOf(() => store.markDirty())).toBe('EIO Input/output error')
  expect(store.isDirty).toBe(false)
  file.fail = () => undefined
  await store.markDirty()
  await store.markDirty()
  expect(store.isDirty).toBe(true)
  expect(steps()).toEqual(['8@72', '8@72', 'flush'])
})

test('the dirty mark goes from memory, then caches are written, then it goes from the disk', async () => {
  await store.markDirty()
  file.log.length = 0
  await store.markClean(async () => {
    expect(store.isDirty).toBe(false)
    await file.flush()
  })
  expect(steps()).toEqual(['flush', '65536@0'])
  expect((await onDisk()).incompatibleFeatures).toEqual({ high: 0, low: 0 })
  await store.markClean(async () => expect.fail('a clean image has nothing to write'))
})

test('the corrupt mark comes and goes', async () => {
  await store.markConsistent(async () => expect.fail('nothing is corrupt yet'))
  await store.markCorrupt()
  expect([store.isCorrupt, (await onDisk()).incompatibleFeatures.low]).toEqual([true, 2])
  await store.markConsistent(() => file.flush())
  expect([store.isCorrupt, (await onDisk()).incompatibleFeatures.low]).toEqual([false, 0])
})

test('a rewrite that does not fit changes nothing', async () => {
  const backingFile = new Uint8Array(1023).fill(97)
  const small = new MemoryChild(await newImage(1024 * 1024, { clusterSize: 512 }))
  const narrow = new HeaderStore(small, (await readHeader(small)).header, noExtensions)
  expect(await failureOf(() => narrow.rewrite({ extensions: { backingFile } }))).toBe('ENOSPC No space left on device')
  expect([narrow.extensions.backingFile, small.log.length]).toEqual([undefined, 0])
})

test('a change of one sector is told from others', () => {
  const extensions = { dataFile: new Uint8Array(1000).fill(65) }
  const told = [{}, { header: { size: 512 } }, { extensions }].map((change) => store.isOneSector(change))
  expect(told).toEqual([true, true, false])
})

test('values of another writer can be taken over', async () => {
  const { header } = store
  store.replace({ ...header, size: 512 }, noExtensions)
  expect(store.header.size).toBe(512)
})

// The refcounts that the mark stands in for have not been written: no other rewrite of the header may take it away.
test('a dirty mark that could not be cleared stays on disk until it can', async () => {
  await store.markDirty()
  const failing = () => store.markClean(() => Promise.reject(BlockError.fromErrno('ENOSPC')))
  expect(await failureOf(failing)).toBe('ENOSPC No space left on device')
  expect(store.isDirty).toBe(false)
  await store.rewrite()
  expect((await onDisk()).incompatibleFeatures).toEqual({ high: 0, low: 1 })
  // Nor is it forgotten when the header itself cannot be written.
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => store.markClean(() => Promise.resolve()))).toBe('EIO Input/output error')
  file.fail = () => undefined
  await store.rewrite()
  expect((await onDisk()).incompatibleFeatures).toEqual({ high: 0, low: 1 })
  await store.markClean(() => Promise.resolve())
  expect((await onDisk()).incompatibleFeatures).toEqual({ high: 0, low: 0 })
  await store.rewrite()
  expect((await onDisk()).incompatibleFeatures).toEqual({ high: 0, low: 0 })
})

test('an image that could not be marked clean at first is, when it is closed', async () => {
  const start = await newImage(64 * 1024, { clusterSize: 512 })
  const requests = await forEachFault(async (index) => {
    const image = new FaultStore(start)
    const opened = await openDisk(image)
    await opened.disk.write(0, new Uint8Array(512).fill(1))
    image.arm({ index })
    await createSnapshot(opened.disk, { name: 'one' }).catch((error) => expect(error).toBeInstanceOf(BlockError))
    image.disarm()
    await opened.close()
    // Request 1 makes the mark durable: where that fails it may be there or not, and nobody counts on it.
    const left = decodeHeader(image.bytes()).incompatibleFeatures.low
    expect([index, opened.lines, left]).toEqual([index, [], index === 1 ? 1 : 0])
    return image.hit
  })
  expect(requests).toBeGreaterThan(10)
})

test('a mark that stands for a repair stays until there was one', async () => {
  await store.markDirty()
  store.requireRepair()
  await store.markClean(async () => undefined)
  expect([store.isDirty, (await onDisk()).incompatibleFeatures.low]).toEqual([true, 1])
  store.repaired()
  await store.markClean(async () => undefined)
  expect([store.isDirty, (await onDisk()).incompatibleFeatures.low]).toEqual([false, 0])
})

// A backing file's name makes the layout longer than the first sector; without one, names and all fit into it.
test('another layout: what only the new one has behind the first sector goes first, what only the old one had, last', async () => {
  const backingFile = new Uint8Array(8).fill(97)
  await store.rewriteLayout({ extensions: { backingFile } })
  expect(steps()).toEqual(['8@512', 'flush', '512@0', 'flush'])
  file.log.length = 0
  // Two layouts that both reach there: by way of one without feature names, which fits into the first sector.
  await store.rewriteLayout({ extensions: { backingFile: new Uint8Array(9).fill(98) } })
  expect(steps()).toEqual(['512@0', 'flush', '9@512', 'flush', '512@0', 'flush', '65024@512'])
  file.log.length = 0
  await store.rewriteLayout({ header: { compatibleFeatures: { high: 0, low: 1 } } })
  expect(steps()).toEqual(['65536@0', 'flush'])
  file.log.length = 0
  await store.rewriteLayout({ extensions: { backingFile: undefined } })
  expect(steps()).toEqual(['512@0', 'flush', '65024@512'])
  expect(file.content.subarray(512, 65536).every((byte) => byte === 0)).toBe(true)
})

test('a foreign layout is given up by steps, once', async () => {
  const found = file.content.slice(0, 65536)
  store.noteLayout(found)
  await store.rewrite()
  expect(steps()).toEqual(['65536@0'])
  found[600] = 1
  store.noteLayout(found)
  await file.write(600, new Uint8Array([1]))
  file.log.length = 0
  await store.rewrite()
  expect(steps()).toEqual(['512@0', 'flush', '65024@512'])
  await store.rewrite()
  expect(steps().slice(3)).toEqual(['65536@0'])
})

test('a layout that does not fit when it is written anew is a foreign one', async () => {
  store.replace(store.header, { ...noExtensions, backingFile: new Uint8Array(70000) })
  store.noteLayout(file.content)
  expect(await failureOf(() => store.rewrite())).toBe('ENOSPC No space left on device')
})

test('a layout that was left half way is a foreign one', async () => {
  await store.rewriteLayout({ extensions: { backingFile: new Uint8Array(8).fill(97) } })
  file.fail = (request) => (request.kind === 'write' && request.bytes === 9 ? 'EIO' : undefined)
  const change = { extensions: { backingFile: new Uint8Array(9).fill(98) } }
  expect(await failureOf(() => store.rewriteLayout(change))).toBe('EIO Input/output error')
  file.fail = () => undefined
  file.log.length = 0
  await store.rewrite()
  // The one in between is there already, and leads to nothing of the old tail.
  expect(steps()).toEqual(['9@512', 'flush', '512@0', 'flush', '65024@512'])
})
