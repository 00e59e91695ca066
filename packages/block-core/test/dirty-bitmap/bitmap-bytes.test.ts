/** Bits have the places in bytes that the qcow2 specification gives them, and come back from there. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBits, encodeBits, encodedBytes, itemsPerUnit } from '../../src/dirty-bitmap/bitmap-bytes.ts'
import { HBitmap } from '../../src/dirty-bitmap/hbitmap.ts'
import { propertySettings } from '../util/property.ts'

test('bit i of byte n is item 8n + i, in whole 64-bit words', () => {
  const bitmap = new HBitmap(70)
  for (const item of [0, 9, 31, 32, 63, 69]) bitmap.set(item, item + 1)
  const bytes = [0x01, 0x02, 0, 0x80, 0x01, 0, 0, 0x80, 0x20, 0, 0, 0, 0, 0, 0, 0]
  expect([...encodeBits(bitmap, 0, 70)]).toEqual(bytes)
  expect([...encodeBits(bitmap, 64, 70)]).toEqual(bytes.slice(8))
  expect([0, 1, 64, 65].map(encodedBytes)).toEqual([0, 8, 8, 16])
})

test('padding is ignored, whatever it holds', () => {
  for (const size of [1, 31, 32, 33, 63, 65]) {
    const bitmap = new HBitmap(size)
    decodeBits(bitmap, new Uint8Array(encodedBytes(size)).fill(0xff), 0, size)
    expect(bitmap.count).toBe(size)
    bitmap.resize(200)
    expect([...bitmap.runs()]).toEqual([{ start: 0, end: size }])
  }
})

test('parts that are no whole words are a bug of the caller', () => {
  const bitmap = new HBitmap(100)
  const message = 'a part of a bitmap must be whole 64-bit words'
  for (const [start, end] of [
    [1, 64],
    [0, 63],
    [64, 128],
    [128, 64],
  ] as const) {
    expect(() => encodeBits(bitmap, start, end)).toThrow(message)
  }
  expect(() => decodeBits(bitmap, new Uint8Array(7), 0, 64)).toThrow('encoded bits have another length than their part')
})

test('parts in any order give the same bitmap, and overwrite what was there', () => {
  const item = fc.nat({ max: 999 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(item), fc.array(item), fc.nat(), (size, old, items, at) => {
      const [from, to] = [new HBitmap(size), new HBitmap(size)]
      for (const each of items) from.set(each, each + 1)
      for (const each of old) to.set(each, each + 1)
      const cut = Math.min(Math.floor(size / itemsPerUnit), at % 16) * itemsPerUnit
      decodeBits(to, encodeBits(from, cut, size), cut, size)
      decodeBits(to, encodeBits(from, 0, cut), 0, cut)
      expect([...to.runs()]).toEqual([...from.runs()])
      expect(to.count).toBe(from.count)
    }),
    propertySettings(300),
  )
})
