/** Proves that our own inflate gives what zlib gives, for every kind of block, ends at the cluster, and refuses broken streams. */

import { constants, deflateRawSync } from 'node:zlib'
import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { inflate } from '../../../src/data/compression/inflate.ts'

const contents: Record<string, Uint8Array> = {
  zeroes: new Uint8Array(65536),
  text: new TextEncoder().encode('to be or not to be, that is the question; '.repeat(1600)).slice(0, 65536),
  noise: new Uint8Array(65536).map(
    (
      (choose) => () =>
        choose.below(256)
    )(random(1)),
  ),
  skewed: new Uint8Array(65536).map(
    (
      (choose) => () =>
        choose.below(choose.below(200) + 1)
    )(random(2)),
  ),
  short: new Uint8Array([1, 2, 3]),
}

const settings = [
  { name: 'as qcow2 writes', windowBits: 12, memLevel: 9 },
  { name: 'stored', level: 0 },
  { name: 'fixed codes', strategy: constants.Z_FIXED },
  { name: 'literals only', strategy: constants.Z_HUFFMAN_ONLY },
  { name: 'runs only', strategy: constants.Z_RLE },
]

describe.each(settings)('$name', (options) => {
  test.each(Object.keys(contents))('%s', (name) => {
    const data = contents[name]!
    const into = new Uint8Array(data.length)
    inflate(Buffer.concat([deflateRawSync(data, options), Buffer.alloc(300, 0x55)]), into)
    expect(Buffer.compare(into, data)).toBe(0)
  })
})

test.each([
  { name: 'an unknown kind of block', bytes: [0b110], message: 'invalid deflate block' },
  {
    name: 'a stored block whose length is not confirmed',
    bytes: [0b000, 1, 0, 1, 0],
    message: 'invalid stored deflate block',
  },
  { name: 'nothing', bytes: [], message: 'the deflate stream ends too early' },
  {
    name: 'an end before the cluster is full',
    bytes: [...deflateRawSync(new Uint8Array(10))],
    message: 'the deflate stream ends too early',
  },
  // Fixed codes: a match before any literal.
  {
    name: 'a distance before the beginning',
    bytes: [0b00000011, 0b00000010, 0, 0],
    message: 'invalid deflate distance',
  },
])('$name', ({ bytes, message }) => {
  expect(() => inflate(new Uint8Array(bytes), new Uint8Array(64))).toThrow(message)
})

test.each([1, 2, 3])('damaged streams end, with an error or not, seed %i', (seed) => {
  const choose = random(seed)
  const stream = deflateRawSync(contents.skewed!, { windowBits: 12 })
  for (let round = 0; round < 200; round++) {
    const damaged = new Uint8Array(stream)
    for (let hit = 0; hit < 3; hit++) damaged[choose.below(Math.min(2000, damaged.length))] = choose.below(256)
    const into = new Uint8Array(65536)
    try {
      inflate(damaged, into)
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
    }
  }
})

test('damaged code lengths', () => {
  // A dynamic block whose first code length repeats one that is not there: symbol 16 is the only code, of one bit.
  const bytes = packBits(['1', '01', '00000', '00000', '0000', '100', '000', '000', '000', '0'.repeat(40)])
  expect(() => inflate(bytes, new Uint8Array(64))).toThrow('invalid deflate code lengths')
})

test('a length that does not exist', () => {
  // Fixed codes: symbol 286 has the code 11000110.
  const bytes = packBits(['1', '10', '11000110', '0'.repeat(16)])
  expect(() => inflate(bytes, new Uint8Array(64))).toThrow('invalid deflate length')
})

/** Bits in the order of the stream, as bytes. */
function packBits(fields: readonly string[]): Uint8Array {
  const bits = fields.join('')
  const bytes = new Uint8Array(bits.length >> 3)
  for (let at = 0; at < bytes.length * 8; at++) bytes[at >> 3]! |= Number(bits[at]) << (at & 7)
  return bytes
}
