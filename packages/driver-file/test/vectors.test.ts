/** Proves that several buffers are one range: what is left, what is zeroed, what is copied, for every place of the edges. */

import { expect, test } from 'vitest'
import { bytesIn, callBuffersMax, fillFrom, gather, scatter, vectorFrom } from '../src/vectors.ts'

const lengths = [3, 0, 1, 5, 2]
const make = (): Uint8Array[] => {
  let value = 0
  return lengths.map((length) => Uint8Array.from({ length }, () => ++value))
}
const flat = (vector: readonly Uint8Array[]): number[] => vector.flatMap((buffer) => [...buffer])
const all = flat(make())

test('the rest begins after any number of bytes, and refers to the same memory', () => {
  expect(bytesIn(make())).toBe(11)
  for (let done = 0; done <= 11; done++) expect(flat(vectorFrom(make(), done))).toEqual(all.slice(done))
  const vector = make()
  expect(vectorFrom(vector, 0)).toBe(vector)
  const rest = vectorFrom(vector, 4)
  rest[0]![0] = 99
  expect(vector[3]![0]).toBe(99)
})

test('one call gets no more buffers than the system takes', () => {
  const vector = Array.from({ length: callBuffersMax + 10 }, (_, index) => Uint8Array.of(index % 256))
  expect(vectorFrom(vector, 0)).toHaveLength(callBuffersMax)
  expect(vectorFrom(vector, 5)).toHaveLength(callBuffersMax)
  expect(vectorFrom(vector, 20)).toHaveLength(callBuffersMax - 10)
})

test('zeroing, scattering and gathering keep to their range', () => {
  for (let start = 0; start <= 11; start++) {
    const zeroed = make()
    fillFrom(zeroed, start)
    expect(flat(zeroed)).toEqual(all.map((value, index) => (index < start ? value : 0)))
    for (let bytes = 0; bytes <= 11 - start; bytes++) {
      const target = new Uint8Array(bytes)
      gather(make(), target, start)
      expect([...target]).toEqual(all.slice(start, start + bytes))
      const scattered = make()
      scatter(new Uint8Array(bytes).fill(77), scattered, start)
      expect(flat(scattered)).toEqual(all.map((value, index) => (index >= start && index < start + bytes ? 77 : value)))
    }
  }
})
