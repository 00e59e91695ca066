/** Ranges in bytes become granules: no written byte is ever reported clean. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DirtyBitmap } from '../../src/dirty-bitmap/dirty-bitmap.ts'
import { bytesEqual } from '../../src/util/bytes.ts'
import { propertySettings } from '../util/property.ts'

const KiB = 1024

test('granularities are checked', () => {
  expect(() => new DirtyBitmap({ length: 1024, granularity: 513 })).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: 'Granularity must be power of 2 and at least 512' }),
  )
})

test('more bits than any array can hold are an error, not a crash', () => {
  expect(() => new DirtyBitmap({ length: 2 ** 53 - 512, granularity: 512 })).toThrow(
    expect.objectContaining({ code: 'ENOMEM' }),
  )
})

test('states what it costs: 100 TiB at 64 KiB take 203 MiB', () => {
  const bitmap = new DirtyBitmap({ length: 100 * 2 ** 40, granularity: 65536 })
  expect(bitmap.memoryBytes).toBe(213_044_024)
  bitmap.markDirty(99 * 2 ** 40, 1)
  expect([...bitmap.dirtyAreas()]).toEqual([{ offset: 99 * 2 ** 40, bytes: 65536 }])
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

/** Dirty bytes one by one. */
function bytesOf(bitmap: DirtyBitmap): Uint8Array {
  const dirty = new Uint8Array(bitmap.length)
  for (const { offset, bytes } of bitmap.dirtyAreas()) dirty.fill(1, offset, offset + bytes)
  return dirty
}

const sizes = fc.constantFrom(512, 1024, 2048, 4096, 65536)

test('merging marks all that the source has, whatever the granularities', () => {
  const write = fc.tuple(fc.nat({ max: 200_000 }), fc.nat({ max: 5000 }))
  fc.assert(
    fc.property(
      fc.nat({ max: 200_000 }),
      sizes,
      sizes,
      fc.array(write, { maxLength: 5 }),
      fc.array(write, { maxLength: 5 }),
      (length, granularity, sourceGranularity, own, others) => {
        const into = new DirtyBitmap({ length, granularity })
        const from = new DirtyBitmap({ length, granularity: sourceGranularity })
        for (const [offset, bytes] of own) into.markDirty(offset, bytes)
        for (const [offset, bytes] of others) from.markDirty(offset, bytes)
        const model = bytesOf(into)
        for (const [i, isDirty] of bytesOf(from).entries()) {
          if (isDirty === 1) model.fill(1, i - (i % granularity), i - (i % granularity) + granularity)
        }
        into.merge(from)
        into.merge(into)
        expect(bytesEqual(bytesOf(into), model)).toBe(true)
      },
    ),
    propertySettings(100),
  )
})

test('a clone goes its own way', () => {
  const bitmap = new DirtyBitmap({ length: 10 * KiB, granularity: KiB, name: 'b' })
  bitmap.markDirty(0, 1)
  const copy = bitmap.clone()
  bitmap.markDirty(KiB, 1)
  copy.reset(0, KiB)
  expect([copy.name, copy.length, copy.granularity, copy.dirtyBytes]).toEqual([undefined, 10 * KiB, KiB, 0])
  expect(bitmap.dirtyBytes).toBe(2 * KiB)
})

test('areas are handed out in pieces, and see what is marked ahead of them', () => {
  const bitmap = new DirtyBitmap({ length: 10 * KiB, granularity: KiB })
  bitmap.markDirty(KiB, 3 * KiB)
  const seen: number[][] = []
  for (const { offset, bytes } of bitmap.dirtyAreas(0, 9 * KiB, 2 * KiB)) {
    seen.push([offset / KiB, bytes / KiB])
    if (offset === KiB) bitmap.markDirty(8 * KiB, 2 * KiB)
  }
  expect(seen).toEqual([
    [1, 2],
    [3, 1],
    [8, 1],
  ])
})

describe('a change that may be undone', () => {
  const granules = (bitmap: DirtyBitmap): number[] => [0, 1, 2, 3].filter((granule) => bitmap.isDirty(granule * KiB))

  test('undone, it leaves the old bits and what was written since', () => {
    const bitmap = new DirtyBitmap({ length: 4 * KiB, granularity: KiB })
    bitmap.markDirty(0, 1)
    const outer = bitmap.keepBits()
    bitmap.clear()
    bitmap.markDirty(KiB, 1)
    const inner = bitmap.keepBits()
    bitmap.reset(KiB, KiB)
    bitmap.markDirty(2 * KiB, 1)
    expect(granules(bitmap)).toEqual([2])
    inner.undo()
    expect(granules(bitmap)).toEqual([1, 2])
    outer.undo()
    expect(granules(bitmap)).toEqual([0, 1, 2])
    expect(bitmap.dirtyBytes).toBe(3 * KiB)
  })

  test('a disk that grows or shrinks meanwhile', () => {
    const bitmap = new DirtyBitmap({ length: 2 * KiB, granularity: KiB })
    bitmap.markDirty(0, 2 * KiB)
    const kept = bitmap.keepBits()
    bitmap.clear()
    bitmap.truncate(KiB)
    bitmap.truncate(4 * KiB)
    bitmap.markDirty(3 * KiB, 1)
    kept.undo()
    expect([bitmap.length, granules(bitmap)]).toEqual([4 * KiB, [0, 3]])
  })

  test('kept for good', () => {
    const bitmap = new DirtyBitmap({ length: 4 * KiB, granularity: KiB })
    bitmap.markDirty(0, 1)
    const { forget } = bitmap.keepBits()
    bitmap.clear()
    forget()
    expect(granules(bitmap)).toEqual([])
  })
})

describe('as bytes', () => {
  const length = 200 * KiB + 100
  const bitmap = new DirtyBitmap({ length, granularity: KiB })
  bitmap.markDirty(0, 1)
  bitmap.markDirty(190 * KiB, 20 * KiB)
  const part = bitmap.encodingAlign

  test('parts are whole 64-bit words of granules', () => {
    expect([part, bitmap.encodedBytes(part), bitmap.encodedBytes(length)]).toEqual([64 * KiB, 8, 32])
    expect([...bitmap.encode(0, part)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0])
    expect([...bitmap.encode(3 * part, length - 3 * part)]).toEqual([0xff, 1, 0, 0, 0, 0, 0, 0])
  })

  test('come back in parts, as bytes or as all ones or zeroes', () => {
    const copy = new DirtyBitmap({ length, granularity: KiB })
    copy.decodeAll(1, 0, length)
    expect(copy.dirtyBytes).toBe(201 * KiB)
    copy.decode(bitmap.encode(0, part), 0, part)
    copy.decodeAll(0, part, part)
    copy.decode(bitmap.encode(2 * part, length - 2 * part), 2 * part, length - 2 * part)
    expect([...copy.dirtyAreas()]).toEqual([...bitmap.dirtyAreas()])
    expect(copy.dirtyBytes).toBe(bitmap.dirtyBytes)
  })
})

test('what is recorded by whom', () => {
  const bitmap = new DirtyBitmap({ length: KiB, granularity: KiB })
  expect(bitmap.recording).toBe(true)
  bitmap.enabled = false
  expect(bitmap.recording).toBe(false)
  bitmap.successor = new DirtyBitmap({ length: KiB, granularity: KiB })
  expect(bitmap.recording).toBe(true)
})

// Recorded from the reference: x-debug-block-dirty-bitmap-sha256 of four bitmaps on a raw node of 1234432 bytes, after
// writes of these ranges through its NBD server.
test.each([
  [512, 105_984, 'be4773e492f81787a11389acb0df06dbc41abb5e6738941c244ac5c87fc7177e'],
  [1024, 108_544, '9016bc9e0b87cdde9199846827709eb2e182b322eb91b4b7e37707f3ca6f3d2b'],
  [4096, 118_784, 'b6a7077934ec7681e2b5c26c02db76082630539a5414afa3845fe9f4240c38ca'],
  [65536, 327_680, '9c47034365d24d605ae942307ac35d7dd4aaac13ec027f324c28b745f1fb2ad0'],
])('the same writes give the same bits as in the reference, granularity %d', (granularity, count, digest) => {
  const bitmap = new DirtyBitmap({ length: 1_234_432, granularity })
  const writes = [
    [0, 1],
    [5000, 3000],
    [70_000, 100_000],
    [1_234_000, 432],
    [1_000_448, 512],
  ] as const
  for (const [offset, bytes] of writes) bitmap.markDirty(offset, bytes)
  expect(bitmap.dirtyBytes).toBe(count)
  const encoded = bitmap.encode(0, bitmap.length)
  expect(createHash('sha256').update(encoded).digest('hex')).toBe(digest)
})
