// Several buffers behave as one: lengths, slices that share memory, zeroing, scattering and gathering at every border.
import { expect, test } from 'vitest'
import { bytesIn, gather, joined, scatter, simplified, sliceOf, zeroFrom } from '../../src/io/vectors.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function abc(): Uint8Array[] {
  return [bytes(1, 2, 3), bytes(), bytes(4), bytes(5, 6, 7, 8)]
}

test('lengths', () => {
  expect(bytesIn(bytes(1, 2))).toBe(2)
  expect(bytesIn(abc())).toBe(8)
  expect(bytesIn([])).toBe(0)
})

test('one buffer is enough for one buffer', () => {
  const only = bytes(1)
  expect(simplified(only)).toBe(only)
  expect(simplified([bytes(), only])).toBe(only)
  expect(simplified([])).toEqual(bytes())
  expect(bytesIn(simplified(abc()))).toBe(8)
})

test('every slice has the right bytes and shares their memory', () => {
  for (let start = 0; start <= 8; start++) {
    for (let length = 0; start + length <= 8; length++) {
      const buffers = abc()
      const slice = sliceOf(buffers, start, length)
      expect(joined(slice)).toEqual(bytes(1, 2, 3, 4, 5, 6, 7, 8).subarray(start, start + length))
      zeroFrom(slice, 0)
      const expected = bytes(1, 2, 3, 4, 5, 6, 7, 8).fill(0, start, start + length)
      expect(joined(buffers)).toEqual(expected)
    }
  }
  const one = bytes(1, 2, 3)
  expect(sliceOf(one, 0, 3)).toBe(one)
  expect(sliceOf(one, 1, 1)).toEqual(bytes(2))
})

test('zeroing begins in the middle of a buffer', () => {
  const buffers = abc()
  zeroFrom(buffers, 2)
  expect(joined(buffers)).toEqual(bytes(1, 2, 0, 0, 0, 0, 0, 0))
  const one = bytes(1, 2, 3)
  zeroFrom(one, 1)
  expect(one).toEqual(bytes(1, 0, 0))
})

test('scatter and gather are inverse, at every start', () => {
  for (let start = 0; start <= 8; start++) {
    for (let length = 0; start + length <= 8; length++) {
      const buffers = abc()
      const source = new Uint8Array(length).fill(9)
      scatter(source, buffers, start)
      const expected = bytes(1, 2, 3, 4, 5, 6, 7, 8).fill(9, start, start + length)
      expect(joined(buffers)).toEqual(expected)
    }
  }
  const whole = new Uint8Array(10)
  gather(abc(), whole, 1)
  expect(whole).toEqual(bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 0))
  gather(bytes(7), whole, 9)
  expect(whole[9]).toBe(7)
  scatter(bytes(5), whole, 0)
  expect(whole[0]).toBe(5)
})
