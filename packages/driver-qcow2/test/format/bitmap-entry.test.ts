/** Bitmap directory and table entries decode as the format says. */

import { expect, test } from 'vitest'
import {
  bitmapDataOffset,
  bitmapFlag,
  decodeBitmapEntry,
  isBrokenBitmapTableEntry,
} from '../../src/format/bitmap-entry.ts'
import { decodeText } from '../../src/format/bytes.ts'

// The directory of an image that the reference made: one bitmap "b0".
const directory = Uint8Array.from(
  Buffer.from('000000000004000000000001000000020110000200000000623000000000000000000000', 'hex').subarray(0, 32),
)

test('a directory entry', () => {
  const entry = decodeBitmapEntry(directory, 0)!
  expect(entry).toMatchObject({
    tableOffset: 0x40000,
    tableSize: 1,
    flags: bitmapFlag.auto,
    type: 1,
    granularityBits: 16,
    extraBytes: 0,
    entryBytes: 32,
  })
  expect(decodeText(entry.name)).toBe('b0')
})

test('a directory that ends inside an entry', () => {
  expect(decodeBitmapEntry(directory.subarray(0, 20), 0)).toBeUndefined()
  expect(decodeBitmapEntry(directory.subarray(0, 26), 0)).toBeUndefined()
})

test('table entries', () => {
  expect(bitmapDataOffset(0x00000001, 0x00050000)).toBe(2 ** 32 + 0x50000)
  expect(bitmapDataOffset(0, 1)).toBe(0)
  expect(isBrokenBitmapTableEntry(0, 0x50000)).toBe(false)
  expect(isBrokenBitmapTableEntry(0, 1)).toBe(false)
  expect(isBrokenBitmapTableEntry(0, 0x50001)).toBe(true)
  expect(isBrokenBitmapTableEntry(0x01000000, 0)).toBe(true)
  expect(isBrokenBitmapTableEntry(0, 2)).toBe(true)
})
