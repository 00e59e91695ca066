/** A layout puts nothing on top of anything else, and says what every table holds. */

import { describe, expect, test } from 'vitest'
import { layoutImage, type Piece } from '../../../src/features/create/layout.ts'
import type { CreateSettings } from '../../../src/features/create/options.ts'

const settings: CreateSettings = {
  version: 3,
  clusterBits: 16,
  refcountOrder: 4,
  extendedL2: false,
  lazyRefcounts: false,
  preallocation: 'off',
  externalData: false,
  dataFileRaw: false,
  compressionType: 0,
}

const hex = (piece: Piece | undefined, bytes: number): string =>
  Buffer.from(piece?.bytes.subarray(0, bytes) ?? []).toString('hex')

test('a plain image has a refcount block, a refcount table and an L1 table', () => {
  const layout = layoutImage(settings, 2 ** 20)
  const [block, table, l1, ...rest] = [...layout.tables()]
  expect([block, table, l1].map((piece) => [piece?.offset, piece?.bytes.length])).toEqual([
    [0x20000, 65536],
    [0x10000, 65536],
    [0x30000, 8],
  ])
  expect(rest).toEqual([])
  expect(hex(block, 10)).toBe('00010001000100010000')
  expect(hex(table, 8)).toBe('0000000000020000')
  expect(layout.dataArea).toBeUndefined()
  expect(layout.header).toMatchObject({
    size: 2 ** 20,
    l1Size: 1,
    l1TableOffset: 0x30000,
    refcountTableOffset: 0x10000,
  })
})

test('an image without a disk has no L1 table', () => {
  const layout = layoutImage({ ...settings, lazyRefcounts: true }, 0)
  expect([...layout.tables()]).toHaveLength(2)
  expect(layout.header).toMatchObject({ l1Size: 0, l1TableOffset: 0, compatibleFeatures: { high: 0, low: 1 } })
})

describe.each(['metadata', 'falloc', 'full'] as const)('preallocation=%s', (preallocation) => {
  test('maps every cluster to a place of its own', () => {
    const layout = layoutImage({ ...settings, clusterBits: 9, preallocation }, 100 * 1024 + 512)
    const tables = [...layout.tables()]
    const used = new Set<number>([0])
    for (const { offset, bytes } of tables) {
      for (let at = offset; at < offset + bytes.length; at += 512) {
        expect(used.has(at), `table at ${at}`).toBe(false)
        used.add(at)
      }
    }
    const l1 = tables.find(({ offset }) => offset === layout.header.l1TableOffset)!
    const view = new DataView(l1.bytes.buffer)
    let mapped = 0
    for (let index = 0; index < layout.header.l1Size; index++) {
      const place = Number(view.getBigUint64(8 * index) & 0xfffffffffffe00n)
      const l2 = new DataView(tables.find(({ offset }) => offset === place)!.bytes.buffer)
      for (let at = 0; at < 512; at += 8) {
        const cluster = Number(l2.getBigUint64(at) & 0xfffffffffffe00n)
        if (cluster === 0) continue
        expect(used.has(cluster), `data at ${cluster}`).toBe(false)
        used.add(cluster)
        mapped++
        expect(l2.getUint32(at) >>> 31).toBe(1)
        expect(cluster + 512).toBeLessThanOrEqual(layout.dataArea!.end)
      }
    }
    expect(mapped).toBe(201)
  })
})
