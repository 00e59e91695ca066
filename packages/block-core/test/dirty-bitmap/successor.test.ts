/** While a job works with a bitmap no write goes unrecorded, however the job ends. */

import { expect, test } from 'vitest'
import type { DirtyBitmap } from '../../src/dirty-bitmap/dirty-bitmap.ts'
import { addBitmap, bitmapFacts, findBitmap } from '../../src/dirty-bitmap/node-bitmaps.ts'
import { abdicate, createSuccessor, reclaim } from '../../src/dirty-bitmap/successor.ts'

const KiB = 1024

function lent(state: Partial<DirtyBitmap> = {}) {
  const bitmaps = new Set<DirtyBitmap>()
  const parent = addBitmap(bitmaps, { length: 64 * KiB, granularity: KiB, name: 'b' })
  Object.assign(parent, state)
  const write = (offset: number): void => {
    for (const bitmap of bitmaps) bitmap.markDirty(offset, 1)
  }
  write(0)
  const successor = createSuccessor(bitmaps, parent)
  write(KiB)
  return { bitmaps, parent, successor, write }
}

test('the successor records, the parent is busy and stands still', () => {
  const { bitmaps, parent } = lent()
  expect(bitmapFacts(bitmaps)).toMatchObject([
    { recording: true, busy: false, count: KiB },
    { name: 'b', recording: true, busy: true, count: KiB },
  ])
  expect([parent.isDirty(0), parent.isDirty(KiB)]).toEqual([true, false])
  expect(() => createSuccessor(bitmaps, parent)).toThrow("Bitmap 'b' is currently in use by another operation")
})

test('abdicating: name and persistence go to the successor', () => {
  const { bitmaps, parent, successor, write } = lent({ persistent: true })
  expect(abdicate(bitmaps, parent)).toBe(successor)
  write(2 * KiB)
  expect([...bitmaps]).toEqual([successor])
  expect(findBitmap(bitmaps, 'b')).toBe(successor)
  expect(bitmapFacts(bitmaps)).toMatchObject([{ name: 'b', persistent: true, recording: true, busy: false }])
  expect([0, 1, 2].map((granule) => successor.isDirty(granule * KiB))).toEqual([false, true, true])
})

test('reclaiming: the parent has all and goes on', () => {
  const { bitmaps, parent, write } = lent()
  reclaim(bitmaps, parent)
  write(2 * KiB)
  expect([...bitmaps]).toEqual([parent])
  expect(bitmapFacts(bitmaps)).toMatchObject([{ name: 'b', recording: true, busy: false, count: 3 * KiB }])
})

test('the successor of a disabled bitmap does not record either', () => {
  const { bitmaps, parent } = lent({ enabled: false })
  expect(bitmapFacts(bitmaps).map(({ recording, count }) => [recording, count])).toEqual([
    [false, 0],
    [false, 0],
  ])
  reclaim(bitmaps, parent)
  expect(parent.enabled).toBe(false)
})

test('only what was lent can come back', () => {
  const { bitmaps, parent } = lent()
  reclaim(bitmaps, parent)
  for (const end of [abdicate, reclaim]) {
    expect(() => end(bitmaps, parent)).toThrow('only a bitmap with a successor can abdicate or reclaim')
  }
})
