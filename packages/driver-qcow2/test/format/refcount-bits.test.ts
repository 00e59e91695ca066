/** Every width packs and unpacks counts as the reference does. */

import { describe, expect, test } from 'vitest'
import { findZeroRefcount, getRefcount, setRefcount } from '../../src/format/refcount-bits.ts'

// Six used clusters, first bytes of the block, from images that the reference made.
test.each([
  [0, '3f'],
  [1, '5505'],
  [2, '111111'],
  [3, '010101010101'],
  [4, '000100010001000100010001'],
  [5, '000000010000000100000001000000010000000100000001'],
  [6, `${'0000000000000001'.repeat(6)}`],
])('six counts of one at order %i', (order, hex) => {
  const block = new Uint8Array(512)
  for (let index = 0; index < 6; index++) setRefcount(block, order, index, 1)
  expect(Buffer.from(block.subarray(0, hex.length / 2)).toString('hex')).toBe(hex)
  expect(block.subarray(hex.length / 2).every((byte) => byte === 0)).toBe(true)
  expect(findZeroRefcount(block, order, 0, 16)).toBe(6)
})

describe.each([0, 1, 2, 3, 4, 5, 6])('order %i', (order) => {
  const max = order === 6 ? Number.MAX_SAFE_INTEGER : 2 ** (1 << order) - 1

  test('a count leaves its neighbours alone', () => {
    const block = new Uint8Array(512)
    const count = (512 * 8) >> order
    for (let index = 0; index < count; index++) setRefcount(block, order, index, index % 2 === 0 ? max : 0)
    setRefcount(block, order, 5, 1)
    setRefcount(block, order, 6, 0)
    expect([4, 5, 6, 7, 8].map((index) => getRefcount(block, order, index))).toEqual([max, 1, 0, 0, max])
    expect(getRefcount(block, order, count - 2)).toBe(max)
  })

  test('a count that is too large is a bug', () => {
    expect(() => setRefcount(new Uint8Array(512), order, 0, max + 1)).toThrow('a refcount fits its width')
  })
})

test('findZeroRefcount gives the limit where all are used', () => {
  expect(findZeroRefcount(new Uint8Array(512).fill(1), 3, 2, 512)).toBe(512)
})
