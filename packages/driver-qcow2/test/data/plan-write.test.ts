/** Proves the decisions of a write over every entry type in every position of short sequences. */

import { describe, expect, test } from 'vitest'
import { hostOffset, makeGeometry } from '../../src/format/geometry.ts'
import { planWrite } from '../../src/data/plan-write.ts'

const cluster = 0x10000
const copied = 0x80000000
const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })

/** Kinds of entries; those with a host cluster get one that follows the kind before where `follows` says so. */
const kinds = {
  unallocated: { high: 0, low: 0, host: false, allocates: true, type: 'unallocated' },
  zeroPlain: { high: 0, low: 1, host: false, allocates: true, type: 'zero-plain' },
  compressed: { high: 0x40000000, low: 0x1234, host: false, allocates: true, type: 'compressed' },
  shared: { high: 0, low: 0, host: true, allocates: true, type: 'normal' },
  sharedZero: { high: 0, low: 1, host: true, allocates: true, type: 'zero-alloc' },
  normal: { high: copied, low: 0, host: true, allocates: false, type: 'normal' },
  zeroAlloc: { high: copied, low: 1, host: true, allocates: false, type: 'zero-alloc' },
} as const

type Kind = keyof typeof kinds
const names = Object.keys(kinds) as Kind[]

/** Entries of the given kinds; hosts follow each other, `gap` clusters lie between them. */
function viewOf(sequence: readonly Kind[], gap = 0): DataView {
  const view = new DataView(new ArrayBuffer(sequence.length * 8))
  sequence.forEach((name, index) => {
    const { high, low, host } = kinds[name]
    view.setUint32(index * 8, high)
    view.setUint32(index * 8 + 4, low + (host ? (16 + index * (1 + gap)) * cluster : 0))
  })
  return view
}

const ask = (view: DataView, count: number, wantedHost?: number) =>
  planWrite({
    view,
    position: 0,
    count,
    geometry,
    wantedHost: wantedHost === undefined ? undefined : hostOffset(wantedHost),
  })

const triples = names.flatMap((a) => names.flatMap((b) => names.map((c): [Kind, Kind, Kind] => [a, b, c])))

describe('every sequence of three', () => {
  test.each([0, 1])('with %i clusters between the hosts', (gap) => {
    for (const sequence of triples) {
      const [first] = sequence
      const answer = ask(viewOf(sequence, gap), 3)
      const what = sequence.join(' ')
      let run = 1
      if (kinds[first].allocates) {
        while (run < 3 && kinds[sequence[run]!].allocates) run++
        expect(answer, what).toEqual({
          kind: 'allocate',
          clusterCount: run,
          firstType: kinds[first].type,
          lastType: kinds[sequence[run - 1]!].type,
        })
      } else {
        while (run < 3 && sequence[run] === first && gap === 0) run++
        expect(answer, what).toEqual({
          kind: 'reuse',
          clusterCount: run,
          host: 16 * cluster,
          keepsZeroClusters: first === 'zeroAlloc',
        })
      }
    }
  })
})

describe.each(names)('%s', (name) => {
  test('no more clusters than are asked for', () => {
    expect(ask(viewOf([name, name, name]), 2)).toMatchObject({ clusterCount: 2 })
    expect(ask(viewOf([name, name, name]), 1)).toMatchObject({ clusterCount: 1 })
  })

  test('a wanted place', () => {
    const view = viewOf([name])
    const elsewhere = kinds[name].allocates ? { kind: 'allocate' } : { kind: 'stop' }
    expect(ask(view, 1, 99 * cluster)).toMatchObject(elsewhere)
    expect(ask(view, 1, 16 * cluster)).toMatchObject({ clusterCount: 1 })
  })

  test('an unaligned host matters only where it would be written to', () => {
    const view = viewOf([name])
    if (!kinds[name].host) return
    view.setUint32(4, view.getUint32(4) + 512)
    const { type } = kinds[name]
    const expected = kinds[name].allocates
      ? { kind: 'allocate' }
      : { kind: 'unaligned', type, host: 16 * cluster + 512 }
    expect(ask(view, 1)).toMatchObject(expected)
  })
})
