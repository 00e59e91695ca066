// Proves that the header of a VDI image is decoded, and that each header this driver must not trust is refused by name.

import { expect, test } from 'vitest'
import { decodeHeader, hasVdiSignature, headerBytes } from '../src/header.ts'
import { header } from './vdi-bytes.ts'

test('a good header', () => {
  expect(decodeHeader(header())).toEqual({
    diskBytes: 3 * 2 ** 20,
    blockBytes: 2 ** 20,
    blockStride: 2 ** 20,
    blockCount: 3,
    mapOffset: 512,
    dataOffset: 1024,
  })
  expect(decodeHeader(header({ 0x4c: 2 })).blockCount).toBe(3)
})

test('the signature', () => {
  expect(hasVdiSignature(header())).toBe(true)
  expect(hasVdiSignature(new Uint8Array(headerBytes))).toBe(false)
  expect(hasVdiSignature(new Uint8Array(10))).toBe(false)
})

test.each([
  ['Image is not in vdi format', { 0x40: 0 }],
  ['Unsupported VDI image (version 2.3)', { 0x44: 0x20003 }],
  ['Unsupported VDI image (image type 4)', { 0x4c: 4 }],
  ['Unsupported VDI image (sector size is not 512 B)', { 0x168: 4096 }],
  ['Unsupported VDI image (has a parent image)', { 0x1b4: 1 }],
  ['Unsupported VDI image (has a parent image)', { 0x1b8: 1 }],
  ['Invalid VDI header (block size 0)', { 0x178: 0 }],
  ['Invalid VDI header (block size 3000)', { 0x178: 3000 }],
  ['VDI disk size is larger than 2^53 bytes', { 0x174: 2 ** 24 }],
  ['Invalid VDI header (too few blocks for the disk size)', { 0x180: 2 }],
  ['Invalid VDI header (the block map reaches into the data)', { 0x158: 516 }],
])('%s', (message, fields) => {
  expect(() => decodeHeader(header(fields))).toThrow(message)
})
