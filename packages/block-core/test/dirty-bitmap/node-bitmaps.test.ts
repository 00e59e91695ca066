/** Names are unique on a node, and a query tells of the youngest bitmap first. */

import { expect, test } from 'vitest'
import type { DirtyBitmap } from '../../src/dirty-bitmap/dirty-bitmap.ts'
import { addBitmap, bitmapFacts, checkNameFree, findBitmap } from '../../src/dirty-bitmap/node-bitmaps.ts'

const disk = { length: 2 ** 20, granularity: 65536 }

test('bitmaps are found by name', () => {
  const bitmaps = new Set<DirtyBitmap>()
  const [a, b] = [addBitmap(bitmaps, { ...disk, name: 'a' }), addBitmap(bitmaps, { ...disk, name: 'b' })]
  addBitmap(bitmaps, disk)
  expect([findBitmap(bitmaps, 'a'), findBitmap(bitmaps, 'b'), bitmaps.size]).toEqual([a, b, 3])
  expect(() => findBitmap(bitmaps, 'c')).toThrow(
    expect.objectContaining({ code: 'ENOENT', message: "Dirty bitmap 'c' not found" }),
  )
  checkNameFree(bitmaps, 'c')
})

test('a bitmap that cannot be is not added; the granularity is complained of first', () => {
  const bitmaps = new Set<DirtyBitmap>()
  addBitmap(bitmaps, { ...disk, name: 'a' })
  const long = 'é'.repeat(512)
  expect(() => addBitmap(bitmaps, { ...disk, name: 'a' })).toThrow(
    expect.objectContaining({ code: 'EEXIST', message: 'Bitmap already exists: a' }),
  )
  expect(() => addBitmap(bitmaps, { ...disk, name: long })).toThrow(
    expect.objectContaining({ code: 'ENAMETOOLONG', message: `Bitmap name too long: ${long}` }),
  )
  for (const name of ['a', long]) {
    expect(() => addBitmap(bitmaps, { ...disk, granularity: 3, name })).toThrow('Granularity must be power of 2')
  }
  expect(bitmaps.size).toBe(1)
})

test('what a query tells', () => {
  const bitmaps = new Set<DirtyBitmap>()
  const old = addBitmap(bitmaps, { ...disk, name: 'old' })
  Object.assign(old, { enabled: false, persistent: true, busy: true, inconsistent: true })
  addBitmap(bitmaps, disk).markDirty(0, 1)
  expect(JSON.stringify(bitmapFacts(bitmaps))).toBe(
    '[{"recording":true,"persistent":false,"busy":false,"granularity":65536,"count":65536},' +
      '{"name":"old","recording":false,"persistent":true,"busy":true,"granularity":65536,"count":0,"inconsistent":true}]',
  )
})
