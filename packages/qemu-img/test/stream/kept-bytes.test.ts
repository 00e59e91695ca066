/** Proves that what was kept can be read from any place on, until it is dropped, and that tables cost little. */

import { expect, test } from 'vitest'
import { KeptBytes } from '../../src/stream/kept-bytes.ts'
import { noise } from './support.ts'

function copied(kept: KeptBytes, offset: number, bytes: number): { readonly count: number; readonly right: boolean } {
  const into = new Uint8Array(bytes)
  const count = kept.copy(offset, into)
  return { count, right: Buffer.compare(into.subarray(0, count), noise(offset, count)) === 0 }
}

test('pieces without a gap between them are read as one, up to the next gap', () => {
  const kept = new KeptBytes()
  for (const start of [1000, 2000, 3000, 5000]) kept.add(start, noise(start, 1000))
  expect(copied(kept, 1500, 2000)).toEqual({ count: 2000, right: true })
  expect(copied(kept, 3500, 2000)).toEqual({ count: 500, right: true })
  expect(copied(kept, 4500, 10)).toEqual({ count: 0, right: true })
  expect(copied(kept, 500, 1000)).toEqual({ count: 0, right: true })
  expect(copied(kept, 5999, 10)).toEqual({ count: 1, right: true })
})

test('the oldest piece is dropped first, thousands of them too', () => {
  const kept = new KeptBytes()
  for (let i = 0; i < 5000; i++) kept.add(i * 10, noise(i * 10, 10))
  for (let i = 0; i < 3000; i++) kept.drop()
  expect(copied(kept, 29_990, 10).count).toBe(0)
  expect(copied(kept, 30_000, 20_000)).toEqual({ count: 20_000, right: true })
  for (let i = 0; i < 3000; i++) kept.drop()
  expect(kept.cost).toBe(0)
})

test('a table costs little, and a part of it is right', () => {
  const kept = new KeptBytes()
  const table = new Uint8Array(65536)
  const view = new DataView(table.buffer)
  for (let i = 0; i < 8192; i++) view.setUint32(i * 8 + 4, i * 512)
  kept.add(65536, table)
  expect(kept.cost).toBeLessThan(1000)
  const part = new Uint8Array(16)
  expect(kept.copy(65536 + 800, part)).toBe(16)
  expect(part).toEqual(table.subarray(800, 816))
  kept.add(2 * 65536, new Uint8Array(0))
  expect(kept.copy(2 * 65536, part)).toBe(0)
})
