/** 64-bit fields keep their value through `number`, and print as C prints them. */

import { expect, test } from 'vitest'
import {
  decodeText,
  encodeText,
  hexHalves,
  hexPrefixed,
  highHalf,
  joinHalves,
  lowHalf,
  readU64,
  roundUp,
  viewOf,
  writeU64,
} from '../../src/format/bytes.ts'

test.each([0, 1, 0xffffffff, 2 ** 32, 2 ** 53 - 1, 2 ** 56, 2 ** 62])('%d survives a field', (value) => {
  const bytes = new Uint8Array(16)
  writeU64(viewOf(bytes), 8, value)
  expect(readU64(viewOf(bytes), 8)).toBe(value)
  expect(joinHalves(highHalf(value), lowHalf(value))).toBe(value)
})

test('fields are big-endian', () => {
  const bytes = new Uint8Array(8)
  writeU64(viewOf(bytes), 0, 0x0102030405060)
  expect([...bytes]).toEqual([0, 0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60])
})

test('hexadecimal as C prints it', () => {
  expect(hexHalves(0, 0)).toBe('0')
  expect(hexHalves(0, 0x50000)).toBe('50000')
  expect(hexHalves(0x80000000, 1)).toBe('8000000000000001')
  expect(hexPrefixed(0)).toBe('0')
  expect(hexPrefixed(0x50000)).toBe('0x50000')
})

test('roundUp works past 2^32', () => {
  expect(roundUp(2 ** 40 + 1, 512)).toBe(2 ** 40 + 512)
  expect(roundUp(512, 512)).toBe(512)
})

test('names are UTF-8', () => {
  expect(decodeText(encodeText('größe'))).toBe('größe')
  expect(decodeText(encodeText('\ufeffname'))).toBe('\ufeffname')
})
