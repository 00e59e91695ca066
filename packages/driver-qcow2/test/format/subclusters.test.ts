/** Proves what the bits of an extended L2 entry mean, one subcluster at a time and in runs, against their definition. */

import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import {
  hasSubclusters,
  lowestBit,
  storeSubclusters,
  subclusterMask,
  subclusterRun,
  subclusterType,
} from '../../src/format/subclusters.ts'

describe('types', () => {
  test.each([
    ['normal', 0, 0b1, 'normal'],
    ['normal', 0b1, 0, 'zero-alloc'],
    ['normal', 0, 0, 'unallocated-alloc'],
    ['normal', 0b10, 0b10, 'invalid'],
    ['unallocated', 0, 0b10, 'invalid'],
    ['unallocated', 0b1, 0, 'zero-plain'],
    ['unallocated', 0, 0, 'unallocated'],
    ['compressed', 0, 0, 'compressed'],
    ['compressed', 0xffffffff, 0xffffffff, 'compressed'],
  ] as const)('%s cluster, zero %i, allocated %i', (type, zeroBits, allocBits, expected) => {
    expect(subclusterType(type, zeroBits, allocBits, 0)).toBe(expected)
  })

  test('the last subcluster is bit 31', () => {
    expect(subclusterType('normal', 0x80000000, 0, 31)).toBe('zero-alloc')
    expect(subclusterType('normal', 0, 0x80000000, 31)).toBe('normal')
    expect(subclusterType('unallocated', 0, 0x80000000, 0)).toBe('invalid')
  })
})

test.each([1, 2, 3])('a run goes on as long as the type is the same, seed %i', (seed) => {
  const choose = random(seed)
  // Few changes, so that runs have all lengths.
  const bits = (): number => subclusterMask(choose.below(32), 32) ^ subclusterMask(choose.below(32), 32)
  for (let round = 0; round < 2000; round++) {
    const cluster = choose.pick(['normal', 'unallocated', 'compressed'] as const)
    const zeroBits = choose.pick([0, 0xffffffff, bits() >>> 0])
    const allocBits = cluster === 'normal' ? (bits() & ~zeroBits) >>> 0 : 0
    const index = choose.below(32)
    const typeOf = (at: number) => subclusterType(cluster, zeroBits, allocBits, at)
    let end = index + 1
    while (end < 32 && typeOf(end) === typeOf(index)) end++
    expect(subclusterRun(typeOf(index), zeroBits, allocBits, index)).toBe(end - index)
  }
})

test.each([
  [0, 32, 0xffffffff],
  [0, 1, 1],
  [31, 32, 0x80000000],
  [4, 8, 0xf0],
  [1, 32, 0xfffffffe],
])('the bits from %i to %i', (from, to, mask) => {
  expect(subclusterMask(from, to)).toBe(mask)
})

test('the lowest bit', () => {
  expect([1, 2, 0x80000000, 0xfffffff0, -1].map((bits) => lowestBit(bits, 32))).toEqual([0, 1, 31, 4, 0])
  expect(lowestBit(0, 7)).toBe(7)
})

test('the second word of an entry', () => {
  const view = new DataView(new ArrayBuffer(32))
  storeSubclusters(view, 16, ~0, 0x12345678)
  expect([2, 3, 4, 5, 6, 7].map((word) => view.getUint32(word * 4))).toEqual([0, 0, 0, 0, 0xffffffff, 0x12345678])
  expect([hasSubclusters(view, 16, 0xffffffff, 0x12345678), hasSubclusters(view, 16, 0, 0)]).toEqual([true, false])
})
