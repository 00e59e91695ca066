/** Proves loading, hooking up of blocks, and what belongs to the table and its blocks. */

import { expect, test } from 'vitest'
import { hostOffset } from '../../src/format/geometry.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

test('a block is hooked up on disk before memory knows it', async () => {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const { image } = await openOn(file)
  const { refcountTable } = image
  expect([refcountTable.entryCount, refcountTable.offsetOf(0), refcountTable.offsetOf(1)]).toEqual([8192, 0x20000, 0])
  expect(refcountTable.offsetOf(8192)).toBe(0)
  file.log.length = 0
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => refcountTable.store(1, hostOffset(0x50000)))).toBe('EIO Input/output error')
  expect(refcountTable.offsetOf(1)).toBe(0)
  file.fail = () => undefined
  await refcountTable.store(1, hostOffset(0x50000))
  expect(refcountTable.offsetOf(1)).toBe(0x50000)
  expect(file.log.map(({ kind, offset }) => `${kind} ${offset}`)).toEqual([`write ${0x10008}`, 'flush 0'])
  expect(image.regions.test('refcount-block')?.(0x50000, 0x50001)).toBe(true)
  expect(image.regions.test('refcount-table')?.(0x1ffff, 0x20000)).toBe(true)
  expect(image.regions.test('refcount-table')?.(0x20000, 0x20001)).toBe(false)
  expect(refcountTable.bytes).toHaveLength(65536)
})

test('another table can take over', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
  image.refcountTable.replace(new Uint8Array(65536))
  expect(image.refcountTable.offsetOf(0)).toBe(0)
  expect(image.regions.test('refcount-block')?.(0x20000, 0x30000)).toBe(false)
})

test('a table that cannot be read stops the open', async () => {
  const file = new MemoryChild(await newImage(1024 * 1024))
  file.fail = ({ kind, offset }) => (kind === 'read' && offset === 0x10000 ? 'EIO' : undefined)
  expect(await failureOf(() => openOn(file))).toBe('EIO Could not initialize refcount handling: Input/output error')
})

test('a whole table is written over, on disk before memory knows it', async () => {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const { refcountTable } = (await openOn(file)).image
  const other = new Uint8Array(65536)
  other[5] = 7
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => refcountTable.storeAll(other))).toBe('EIO Input/output error')
  expect(refcountTable.offsetOf(0)).toBe(0x20000)
  file.fail = () => undefined
  await refcountTable.storeAll(other)
  expect([refcountTable.offsetOf(0), file.content[0x10005]]).toEqual([0x70000, 7])
})
