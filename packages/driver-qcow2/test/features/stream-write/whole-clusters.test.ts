/** Proves that pieces of any length become whole clusters, and that those without data are left out. */

import { expect, test } from 'vitest'
import { wholeClusters } from '../../../src/features/stream-write/whole-clusters.ts'
import { type DataRange, sourceOf } from '../../helpers/streams.ts'

async function clustersOf(length: number, ranges: readonly DataRange[], pieceBytes: number, keepZeroes = false) {
  const measured = { length: 0 }
  const found: [number, string][] = []
  const pieces = sourceOf(length, ranges, { pieceBytes }).pieces()
  for await (const { cluster, data } of wholeClusters(pieces, { clusterSize: 8, keepZeroes, measured })) {
    found.push([cluster, Buffer.from(data).toString('hex')])
  }
  return { found, length: measured.length }
}

const ones = (count: number): Uint8Array => new Uint8Array(count).fill(0x11)

test.each([[1], [3], [8], [100]])('pieces of %i bytes', async (pieceBytes) => {
  const ranges = [
    { offset: 6, data: ones(4) },
    { offset: 16, data: ones(8) },
    { offset: 40, data: ones(3) },
    { offset: 1000, data: ones(2) },
  ]
  expect(await clustersOf(1003, ranges, pieceBytes)).toEqual({
    found: [
      [0, '0000000000001111'],
      [1, '1111000000000000'],
      [2, '1111111111111111'],
      [5, '1111110000000000'],
      [125, '1111000000000000'],
    ],
    length: 1003,
  })
})

test('zeroes that came as data count only where they are to be kept', async () => {
  const ranges = [{ offset: 4, data: new Uint8Array(8) }]
  expect((await clustersOf(32, ranges, 100)).found).toEqual([])
  expect((await clustersOf(32, ranges, 100, true)).found).toEqual([
    [0, '0000000000000000'],
    [1, '0000000000000000'],
  ])
})
