/** Proves what is copied around the data of a write where clusters have subclusters: every kind of source at each edge. */

import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { subclusterEdges } from '../../src/data/subcluster-edges.ts'
import { makeGeometry } from '../../src/format/geometry.ts'
import { storeSubclusters } from '../../src/format/subclusters.ts'

const KiB = 1024
const geometry = makeGeometry({ clusterBits: 16, extendedL2: true, refcountOrder: 4 })

interface Entry {
  readonly high?: number
  readonly low?: number
  readonly zero?: number
  readonly alloc?: number
}

const own = 0x80000000

function edgesOf(entries: readonly Entry[], start: number, bytes: number, keepOld: boolean) {
  const view = new DataView(new ArrayBuffer(entries.length * 16))
  entries.forEach(({ high = 0, low = 0, zero = 0, alloc = 0 }, index) => {
    view.setUint32(index * 16, high)
    view.setUint32(index * 16 + 4, low)
    storeSubclusters(view, index * 16, zero, alloc)
  })
  return subclusterEdges({ geometry, view, position: 0, start, bytes, keepOld })
}

describe('in clusters that stay', () => {
  const entry = { high: own, low: 0x50000 }
  test('within allocated subclusters nothing is copied, and nothing changes', () => {
    expect(edgesOf([{ ...entry, alloc: 0b110 }], 2 * KiB + 512, 3 * KiB, true)).toEqual({
      changes: false,
      overwrites: true,
      head: { start: 2560, bytes: 0, oldType: 'unallocated' },
      tail: { start: 5632, bytes: 0, oldType: 'unallocated' },
    })
  })

  test('the rest of the subclusters at both ends', () => {
    expect(edgesOf([{ ...entry, zero: 0b1000, alloc: 0b100 }], 3 * KiB, 4 * KiB, true)).toEqual({
      changes: true,
      overwrites: true,
      head: { start: 2 * KiB, bytes: KiB, oldType: 'unallocated' },
      tail: { start: 7 * KiB, bytes: KiB, oldType: 'zero-plain' },
    })
  })

  test('one end is allocated, the other is not', () => {
    expect(edgesOf([{ ...entry, alloc: 0b10 }], 3 * KiB, 2 * KiB, true)).toMatchObject({
      changes: true,
      overwrites: true,
      head: { start: 3 * KiB, bytes: 0 },
      tail: { start: 5 * KiB, bytes: KiB },
    })
  })

  test('a hole in the middle makes a change all the same', () => {
    const full = { ...entry, alloc: 0xffffffff }
    const hole = { high: own, low: 0x60000, alloc: 0xfffeffff }
    const last = { high: own, low: 0x70000, alloc: 1 }
    const sizes = { start: 64 * KiB - 512, bytes: 64 * KiB + 1024 }
    expect(edgesOf([full, hole, last], sizes.start, sizes.bytes, true)).toMatchObject({
      changes: true,
      head: { bytes: 0 },
      tail: { start: 128 * KiB + 512, bytes: 0 },
    })
  })

  test('an invalid entry, wherever the data touches it', () => {
    const good = { ...entry, alloc: 0xffffffff }
    const bad = { high: own, low: 0x60000, zero: 1, alloc: 1 }
    expect(edgesOf([bad], 60 * KiB, 512, true)).toBe(0)
    expect(edgesOf([good, bad, good], 0, 192 * KiB, true)).toBe(1)
    expect(edgesOf([good, bad], 0, 128 * KiB, true)).toBe(1)
  })
})

describe('in new clusters', () => {
  test.each([
    { source: 'nothing', entry: {}, type: 'unallocated' },
    { source: 'zeroes', entry: { zero: 0xffffffff }, type: 'zero-plain' },
    { source: 'some zeroes', entry: { zero: 0b100 }, type: 'unallocated' },
  ] as const)('over $source, only the rest of the subclusters', ({ entry, type }) => {
    expect(edgesOf([entry, entry], 61 * KiB, 6 * KiB, false)).toEqual({
      changes: true,
      overwrites: false,
      head: { start: 60 * KiB, bytes: KiB, oldType: type === 'zero-plain' ? type : 'unallocated' },
      tail: { start: 67 * KiB, bytes: KiB, oldType: type },
    })
  })

  test('over a shared cluster, all that is allocated in it', () => {
    const shared = { low: 0x50000, alloc: 0b0110_0000_0000_0000_0000_0000_0010_0000 }
    expect(edgesOf([shared], 20 * KiB, 2 * KiB, false)).toMatchObject({
      head: { start: 10 * KiB, bytes: 10 * KiB, oldType: 'normal' },
      tail: { start: 22 * KiB, bytes: 40 * KiB, oldType: 'normal' },
    })
    expect(edgesOf([shared], 9 * KiB, 512, false)).toMatchObject({
      head: { start: 8 * KiB, bytes: KiB, oldType: 'unallocated' },
      tail: { start: 9 * KiB + 512, bytes: 52 * KiB + 512, oldType: 'normal' },
    })
    expect(edgesOf([{ low: 0x50000 }], 9 * KiB, 512, false)).toMatchObject({
      head: { start: 8 * KiB, bytes: KiB },
      tail: { start: 9 * KiB + 512, bytes: 512 },
    })
  })

  test('over a compressed cluster, all of it', () => {
    const compressed = { high: 0x40000000, low: 0x1234 }
    expect(edgesOf([compressed], 20 * KiB, 2 * KiB, false)).toEqual({
      changes: true,
      overwrites: false,
      head: { start: 0, bytes: 20 * KiB, oldType: 'compressed' },
      tail: { start: 22 * KiB, bytes: 42 * KiB, oldType: 'compressed' },
    })
  })

  test('whole clusters copy nothing', () => {
    const shared = { low: 0x50000, alloc: 0xffffffff }
    expect(edgesOf([shared, {}], 0, 128 * KiB, false)).toMatchObject({ head: { bytes: 0 }, tail: { bytes: 0 } })
  })

  test('an invalid entry matters at both ends; between them it is replaced as a whole', () => {
    const bad = { alloc: 1 }
    expect(edgesOf([bad, {}], 1024, 128 * KiB - 1024, false)).toBe(0)
    expect(edgesOf([{}, bad], 1024, 65 * KiB, false)).toBe(1)
    expect(edgesOf([{}, bad, {}], 1024, 130 * KiB, false)).toMatchObject({ changes: true })
  })
})

test.each([1, 2])('what is filled afterwards are whole subclusters, or was allocated; seed %i', (seed) => {
  const choose = random(seed)
  for (let round = 0; round < 2000; round++) {
    const keepOld = choose.chance(0.5)
    const zero = choose.pick([0, 0xffffffff, choose.below(2 ** 32)])
    const alloc = (choose.pick([0, 0xffffffff, choose.below(2 ** 32)]) & ~zero) >>> 0
    const entry = keepOld || choose.chance(0.5) ? { high: keepOld ? own : 0, low: 0x50000, zero, alloc } : { zero }
    const start = choose.below(128) * 512
    const bytes = 512 * (1 + choose.below(128 - start / 512))
    const edges = edgesOf([entry], start, bytes, keepOld)
    if (typeof edges === 'number') throw new Error(`round ${round}: entry ${edges} is taken for invalid`)
    const from = edges.head.start
    const to = edges.tail.start + edges.tail.bytes
    const allocated = 'alloc' in entry ? entry.alloc : 0
    for (let sub = 0; sub < 32; sub++) {
      const isTouched = (sub + 1) * 2048 > from && sub * 2048 < to
      const isWhole = sub * 2048 >= from && (sub + 1) * 2048 <= to
      const was = (allocated & (1 << sub)) !== 0
      // Data that stays where it is needs no copy; data that moves must be copied whole.
      if (keepOld) expect(!isTouched || isWhole || was, `round ${round}, subcluster ${sub}`).toBe(true)
      else expect(isWhole || (!isTouched && !was), `round ${round}, subcluster ${sub}`).toBe(true)
    }
  }
})
