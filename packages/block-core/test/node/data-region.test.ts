// The known data region is forgotten wherever it may have become zeroes, and never filled with an answer that is older.
import { expect, test } from 'vitest'
import { DataRegion } from '../../src/node/data-region.ts'

test('what is remembered is known, from any place within', () => {
  const region = new DataRegion()
  expect(region.bytesAt(0)).toBe(0)
  region.remember(region.version, 4096, 8192)
  expect([4095, 4096, 8192, 12287, 12288].map((offset) => region.bytesAt(offset))).toEqual([0, 8192, 4096, 1, 0])
})

test('touching it anywhere forgets all of it, touching others does not', () => {
  const region = new DataRegion()
  for (const [offset, bytes, rest] of [
    [0, 4096, 8192],
    [12288, 100, 8192],
    [0, 4097, 0],
    [12287, 1, 0],
    [8000, 1, 0],
    [0, Number.POSITIVE_INFINITY, 0],
  ] as const) {
    region.remember(region.version, 4096, 8192)
    region.invalidate(offset, bytes)
    expect(region.bytesAt(4096)).toBe(rest)
  }
})

test('an answer that was on its way while something was zeroed is not believed', () => {
  const region = new DataRegion()
  const { version } = region
  region.invalidate(0, 10)
  region.remember(version, 0, 4096)
  expect(region.bytesAt(0)).toBe(0)
})
