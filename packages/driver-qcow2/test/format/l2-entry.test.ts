/** Table entries mean what the format says, bit by bit; compressed descriptors match the reference's examples. */

import { describe, expect, test } from 'vitest'
import { hostOffset, makeGeometry } from '../../src/format/geometry.ts'
import {
  clusterType,
  compressedBytes,
  compressedOffset,
  encodeCompressed,
  entryHigh,
  entryLow,
  entryOffset,
  hasZeroFlag,
  isCopied,
  withCopied,
} from '../../src/format/l2-entry.ts'

const plain = { extendedL2: false }

describe('clusterType', () => {
  test.each([
    [0, 0, 'unallocated'],
    [0x80000000, 0, 'unallocated'],
    [0, 0x50000, 'normal'],
    [0x80000000, 0x50000, 'normal'],
    [0, 1, 'zero-plain'],
    [0x80000000, 0x50001, 'zero-alloc'],
    [0x00000001, 0, 'normal'],
    [0x4d000000, 0x50000, 'compressed'],
    [0x40000000, 1, 'compressed'],
    // Reserved bits alone do not allocate anything.
    [0x3f000000, 0x1fe, 'unallocated'],
  ] as const)('%#x %#x', (high, low, type) => {
    expect(clusterType(high, low, plain)).toBe(type)
  })

  test('bit 0 of an extended entry is ignored', () => {
    expect(clusterType(0, 1, { extendedL2: true })).toBe('unallocated')
    expect(clusterType(0, 0x50001, { extendedL2: true })).toBe('normal')
  })

  test('offset 0 with COPIED is allocated in an external data file', () => {
    expect(clusterType(0x80000000, 0, { extendedL2: false, externalData: true })).toBe('normal')
    expect(clusterType(0, 0, { extendedL2: false, externalData: true })).toBe('unallocated')
    expect(clusterType(0x80000000, 1, { extendedL2: false, externalData: true })).toBe('zero-plain')
  })
})

test('plain entries survive a round trip', () => {
  const offset = hostOffset(2 ** 55 + 0x50000)
  expect(entryOffset(entryHigh(offset, true), entryLow(offset, true))).toBe(offset)
  expect(isCopied(entryHigh(offset, true))).toBe(true)
  expect(isCopied(entryHigh(offset, false))).toBe(false)
  expect(hasZeroFlag(entryLow(offset, true))).toBe(true)
  expect(hasZeroFlag(entryLow(offset))).toBe(false)
  expect(withCopied(0x123, true)).toBe(0x80000123)
  expect(withCopied(0x80000123, false)).toBe(0x123)
})

test('entries cannot be negative', () => {
  expect(entryHigh(hostOffset(0), true)).toBe(0x80000000)
  expect(entryLow(hostOffset(0xfffffe00), true)).toBe(0xfffffe01)
  expect(entryOffset(0, 0xfffffe00)).toBe(0xfffffe00)
})

describe('compressed entries', () => {
  // Offset, compressed length and entry of images that the reference made.
  test.each([
    [16, 0x50000, 27021, 0x4d000000, 0x00050000],
    [16, 0x5698d, 16583, 0x48400000, 0x0005698d],
    [16, 0x5aa54, 35535, 0x51400000, 0x0005aa54],
    [16, 0x63523, 22615, 0x4b000000, 0x00063523],
  ])('2^%i clusters, %#x', (clusterBits, offset, bytes, high, low) => {
    const geometry = makeGeometry({ clusterBits, extendedL2: false, refcountOrder: 4 })
    expect(encodeCompressed(geometry, hostOffset(offset), bytes)).toEqual({ high, low })
    expect(compressedOffset(geometry, high, low)).toBe(offset)
    const readable = compressedBytes(geometry, high, low)
    expect(readable).toBeGreaterThanOrEqual(bytes)
    expect(readable - bytes).toBeLessThan(512)
    expect((offset + readable) % 512).toBe(0)
  })

  test('smallest and largest clusters', () => {
    const small = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 4 })
    expect(compressedOffset(small, 0x60000000, 0x00000b3f)).toBe(0xb3f)
    expect(compressedBytes(small, 0x60000000, 0x00000b3f)).toBe(1024 - 0x13f)
    const large = makeGeometry({ clusterBits: 21, extendedL2: false, refcountOrder: 4 })
    expect(compressedOffset(large, 0x49240000, 0x00a00000)).toBe(0xa00000)
    expect(compressedBytes(large, 0x49240000, 0x00a00000)).toBe(1171 * 512)
    expect(compressedOffset(large, 0x4001ffff, 0xffffffff)).toBe(2 ** 49 - 1)
  })
})
