/** Ranges in bytes become granules: no written byte is ever reported clean. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DirtyBitmap } from '../../src/dirty-bitmap/dirty-bitmap.ts'
import { propertySettings } from '../util/property.ts'

const KiB = 1024

test.each([0, 256, 511, 513, 1536, 3 * 512])('granularity %d is refused', (granularity) => {
  expect(() => new DirtyBitmap({ length: 1024, granularity })).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: 'Granularity must be power of 2 and at least 512' }),
  )
})

test('marks every granule that a range touches', () => {
  const bitmap = new DirtyBitmap({ length: 10 * KiB, granularity: KiB, name: 'b0' })
  bitmap.markDirty(KiB + 1, KiB)
  expect([bitmap.name, bitmap.granularity, bitmap.length]).toEqual(['b0', KiB, 10 * KiB])
  expect([0, 1, 2, 3].map((granule) => bitmap.isDirty(granule * KiB))).toEqual([false, true, true, false])
  expect(bitmap.dirtyBytes).toBe(2 * KiB)
  bitmap.markDirty(5 * KiB + 7, 0)
  expect(bitmap.dirtyBytes).toBe(2 * KiB)
})

test('the last granule counts whole, and areas end with the disk', () => {
  const bitmap = new DirtyBitmap({ length: 2 * KiB + 512, granularity: KiB })
  bitmap.markDirty(2 * KiB, 512)
  expect(bitmap.dirtyBytes).toBe(KiB)
  expect(bitmap.nextDirtyArea(0)).toEqual({ offset: 2 * KiB, bytes: 512 })
  expect(bitmap.isDirty(100 * KiB)).toBe(false)
})

test('a disabled bitmap does not record', () => {
  const bitmap = new DirtyBitmap({ length: 4 * KiB, granularity: KiB })
  bitmap.enabled = false
  bitmap.markDirty(0, KiB)
  expect(bitmap.dirtyBytes).toBe(0)
})

test('reset and clear', () => {
  const bitmap = new DirtyBitmap({ length: 4 * KiB, granularity: KiB })
  bitmap.markDirty(0, 4 * KiB)
  bitmap.reset(KiB, 2 * KiB)
  bitmap.reset(0, 0)
  expect([0, 1, 2, 3].map((granule) => bitmap.isDirty(granule * KiB))).toEqual([true, false, false, true])
  bitmap.clear()
  expect(bitmap.dirtyBytes).toBe(0)
})

test('follows the length of the disk', () => {
  const bitmap = new DirtyBitmap({ length: 4 * KiB, granularity: KiB })
  bitmap.markDirty(0, 4 * KiB)
  bitmap.truncate(2 * KiB)
  bitmap.truncate(8 * KiB)
  expect(bitmap.length).toBe(8 * KiB)
  expect(bitmap.nextDirtyArea(0)).toEqual({ offset: 0, bytes: 2 * KiB })
  expect(bitmap.nextDirty(2 * KiB)).toBeUndefined()
})

describe('searching', () => {
  const bitmap = new DirtyBitmap({ length: 2 ** 42, granularity: 65536 })
  bitmap.markDirty(2 ** 40, 3 * 65536)

  test('skips a clean terabyte', () => {
    expect(bitmap.nextDirty(0)).toBe(2 ** 40)
    expect(bitmap.nextDirty(2 ** 40 + 5)).toBe(2 ** 40 + 5)
    expect(bitmap.nextClean(2 ** 40)).toBe(2 ** 40 + 3 * 65536)
    expect(bitmap.nextClean(7)).toBe(7)
  })

  test('areas are cut at their bounds', () => {
    expect(bitmap.nextDirtyArea(0, 2 ** 40)).toBeUndefined()
    expect(bitmap.nextDirtyArea(0, 2 ** 42, 1000)).toEqual({ offset: 2 ** 40, bytes: 1000 })
    expect(bitmap.nextDirtyArea(0, 2 ** 40 + 10)).toEqual({ offset: 2 ** 40, bytes: 10 })
    expect(bitmap.nextDirtyArea(2 ** 40 + 65536)).toEqual({ offset: 2 ** 40 + 65536, bytes: 2 * 65536 })
    expect(bitmap.nextDirtyArea(2 ** 43)).toBeUndefined()
  })

  test('an empty question has no answer', () => {
    expect(bitmap.nextDirty(2 ** 40 + 5, 2 ** 40 + 5)).toBeUndefined()
    expect(bitmap.nextClean(5, 5)).toBeUndefined()
  })
})

test('agrees with a set of bytes', () => {
  const length = 9 * 512 + 100
  const range = fc.tuple(fc.nat({ max: length }), fc.nat({ max: 2000 }))
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 5 }),
      range,
      fc.integer({ min: 1, max: 3000 }),
      (writes, [from, span], most) => {
        const bitmap = new DirtyBitmap({ length, granularity: 512 })
        const dirty = new Uint8Array(length)
        for (const [offset, bytes] of writes) {
          bitmap.markDirty(offset, bytes)
          if (bytes > 0) dirty.fill(1, Math.floor(offset / 512) * 512, Math.ceil((offset + bytes) / 512) * 512)
        }
        const end = Math.min(length, from + span)
        const offset = dirty.subarray(0, end).indexOf(1, from)
        const found = bitmap.nextDirtyArea(from, from + span, most)
        expect(found?.offset).toBe(offset < 0 ? undefined : offset)
        if (offset < 0) return
        const stop = dirty.subarray(0, Math.min(end, offset + most)).indexOf(0, offset)
        expect(found?.bytes).toBe((stop < 0 ? Math.min(end, offset + most) : stop) - offset)
      },
    ),
    propertySettings(500),
  )
})
