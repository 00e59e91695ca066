/** Proves canonical codes and the order of bits, on the example of the specification. */

import { expect, test } from 'vitest'
import { BitReader, makeHuffmanCode } from '../../../src/data/compression/huffman.ts'

test('the example of RFC 1951, section 3.2.2', () => {
  // Lengths of A to H; F is 00, A is 010, H is 1111. Code bits come highest first into the lowest free bit of a byte.
  const code = makeHuffmanCode(new Uint8Array([3, 3, 3, 3, 3, 2, 4, 4]))
  const reader = new BitReader(new Uint8Array([0b11101000, 0b00000001]))
  expect([reader.symbol(code), reader.symbol(code), reader.symbol(code)]).toEqual([5, 0, 7])
})

test('lengths that ask for too many codes', () => {
  expect(() => makeHuffmanCode(new Uint8Array([1, 1, 1]))).toThrow('over-subscribed Huffman code')
})

test('bits come lowest first, bytes after the rest of a byte is dropped', () => {
  const reader = new BitReader(new Uint8Array([0b10110101, 0xff, 1, 2]))
  expect([reader.bits(3), reader.bits(0), reader.bits(7)]).toEqual([0b101, 0, 0b1110110])
  expect([...reader.bytes(2)]).toEqual([1, 2])
  expect(() => reader.bits(1)).toThrow('the deflate stream ends too early')
  expect(() => reader.bytes(1)).toThrow('the deflate stream ends too early')
})

test('a code that does not exist', () => {
  const code = makeHuffmanCode(new Uint8Array([2, 2]))
  expect(() => new BitReader(new Uint8Array([0xff, 0xff])).symbol(code)).toThrow('invalid Huffman code')
})
