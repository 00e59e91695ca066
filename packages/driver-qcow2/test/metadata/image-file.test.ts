/** Proves that an ejected image does nothing any more, whoever still holds it. */

import { expect, test } from 'vitest'
import { ImageFile } from '../../src/metadata/image-file.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf } from '../helpers/open-on.ts'

test('requests pass through until the image is ejected', async () => {
  const child = new MemoryChild(new Uint8Array(1024))
  let told = 0
  const file = new ImageFile(child, () => told++)
  await file.write(512, new Uint8Array([1, 2, 3]))
  const read = new Uint8Array(3)
  await file.read(512, read)
  expect([...read]).toEqual([1, 2, 3])
  expect([file.name, file.role, file.length]).toEqual([child.name, child.role, 1024])
  expect(file.canCompress).toBe(child.canCompress)
  await file.truncate(2048)
  expect([file.length, await file.allocatedBytes(), await file.isZeroFast(0, 1)]).toEqual([2048, 2048, false])
  expect(await file.readsZero(0, 1)).toBe(false)
  expect(await file.blockStatus(0, 512)).toMatchObject({ bytes: 512 })

  file.eject()
  file.eject()
  expect([file.ejected, told]).toEqual([true, 1])
  const before = child.log.length
  const noMedium = 'ENOMEDIUM No medium found'
  expect(await failureOf(() => file.read(0, read))).toBe(noMedium)
  expect(await failureOf(() => file.write(0, read))).toBe(noMedium)
  expect(await failureOf(() => file.writeZeroes(0, 1))).toBe(noMedium)
  expect(await failureOf(() => file.discard(0, 1))).toBe(noMedium)
  expect(await failureOf(() => file.flush())).toBe(noMedium)
  expect(await failureOf(() => file.truncate(0))).toBe(noMedium)
  expect(await failureOf(() => file.blockStatus(0, 1))).toBe(noMedium)
  expect(await failureOf(() => file.isZeroFast(0, 1))).toBe(noMedium)
  expect(await failureOf(() => file.readsZero(0, 1))).toBe(noMedium)
  expect(await failureOf(() => file.allocatedBytes())).toBe(noMedium)
  expect(await failureOf(() => file.hasZeroInit())).toBe(noMedium)
  // An event is no request: whoever cleans up in memory announces it all the same.
  await file.debugEvent('l2_update')
  expect(child.log.length).toBe(before)
})

test('behind the last offset that the core can read there are zeroes, up to where offsets end', async () => {
  const child = new MemoryChild(new Uint8Array(512))
  child.fail = ({ offset }) => (offset > 2 ** 53 ? 'EFBIG' : undefined)
  const file = new ImageFile(child, () => undefined)
  const read = new Uint8Array(8).fill(1)
  await file.read(2 ** 62, read)
  expect([...read]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  const parts = [new Uint8Array(2).fill(1), new Uint8Array(1).fill(1)]
  await file.read(2 ** 55, parts)
  expect(parts.map((part) => [...part])).toEqual([[0, 0], [0]])
  expect(await failureOf(() => file.read(2 ** 63 - 2 ** 29, read))).toBe('EIO Input/output error')
})
