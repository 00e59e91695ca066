/** The wide comparisons see every single byte, wherever the array begins in memory. */

import { describe, expect, test } from 'vitest'
import { bytesEqual, concatBytes, isZero } from '../../src/util/bytes.ts'

const offsets = [0, 1, 2, 3, 4, 5, 6, 7, 8, 13]
const lengths = [0, 1, 7, 8, 15, 63, 64, 65, 71, 127, 128, 129, 255, 300]

/** A zero array that starts `offset` bytes into its buffer, with ones around it that must not be looked at. */
function zeroes(offset: number, length: number): Uint8Array {
  const around = new Uint8Array(offset + length + 16).fill(1)
  return around.subarray(offset, offset + length).fill(0)
}

describe('isZero', () => {
  test.each(offsets)('finds each single byte, %d bytes into a buffer', (offset) => {
    for (const length of lengths) {
      const bytes = zeroes(offset, length)
      expect(isZero(bytes)).toBe(true)
      for (let i = 0; i < length; i++) {
        bytes[i] = 0x80
        expect(isZero(bytes)).toBe(false)
        bytes[i] = 0
      }
    }
  })
})

describe('bytesEqual', () => {
  test('finds each single difference, at equal and unequal alignment', () => {
    for (const [offsetA, offsetB] of [
      [0, 0],
      [3, 3],
      [1, 2],
      [8, 0],
    ] as const) {
      for (const length of lengths) {
        const a = zeroes(offsetA, length).fill(0x5a)
        const b = zeroes(offsetB, length).fill(0x5a)
        expect(bytesEqual(a, b)).toBe(true)
        for (let i = 0; i < length; i++) {
          b[i] = 0x5b
          expect(bytesEqual(a, b)).toBe(false)
          b[i] = 0x5a
        }
      }
    }
  })

  test('different lengths differ', () => {
    expect(bytesEqual(new Uint8Array(3), new Uint8Array(4))).toBe(false)
  })
})

test('concatBytes joins in order and copies', () => {
  const first = Uint8Array.of(1, 2)
  const whole = concatBytes([first, new Uint8Array(), Uint8Array.of(3)])
  first[0] = 9
  expect(whole).toEqual(Uint8Array.of(1, 2, 3))
  expect(concatBytes([])).toEqual(new Uint8Array())
})
