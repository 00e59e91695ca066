// Proves that headers come back as they were written, and that each one that must not be trusted is refused by name.
import { expect, test } from 'vitest'
import { dataOffset, decodeHeader, encodeHeader, hasSlabMagic } from '../src/format.ts'

const good = { size: 5 * 2 ** 32 + 512, clusterBytes: 65536, capacity: 2 ** 20 }

/** A good header with `word` at `offset`. */
function forged(offset: number, word: number): Uint8Array {
  const head = encodeHeader(good)
  new DataView(head.buffer).setUint32(offset, word)
  return head
}

test('a header comes back', () => {
  expect(decodeHeader(encodeHeader(good))).toEqual(good)
  expect(dataOffset(good)).toBe(2 ** 22 + 65536)
})

test('the magic', () => {
  expect(hasSlabMagic(encodeHeader(good))).toBe(true)
  expect(hasSlabMagic(new Uint8Array(512))).toBe(false)
  expect(hasSlabMagic(encodeHeader(good).subarray(0, 3))).toBe(false)
})

test.each([
  ['Image is not in slab format', 0, 1],
  ['Unsupported slab version 2', 4, 2],
  ['The cluster size must be a power of two from 4096 to 2097152', 8, 0],
  ['The cluster size must be a power of two from 4096 to 2097152', 8, 5000],
  ['Invalid slab header (21474836992 bytes, 3 clusters)', 12, 3],
  ['Invalid slab header (21474836992 bytes, 4294967295 clusters)', 12, 0xffffffff],
  ['Invalid slab header (21474836481 bytes, 1048576 clusters)', 20, 1],
])('%s', (message, offset, word) => {
  expect(() => decodeHeader(forged(offset, word))).toThrow(message)
})
