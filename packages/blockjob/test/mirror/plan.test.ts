/** Proves the decision for every kind of run and alignment; the plans of a random disk cover it once, in order. */
import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { CopyGeometry } from '../../src/mirror/geometry.ts'
import { type Piece, planPiece, type RunKind } from '../../src/mirror/plan.ts'
import { KiB, MiB } from '../helpers/chain.ts'

const unit = 64 * KiB
const geometry: CopyGeometry = { length: 100 * MiB, granularity: unit, unit, cluster: unit }
const big: CopyGeometry = { ...geometry, cluster: MiB }

const plan = (offset: number, kind: RunKind, end: number, claimEnd: number, sizes = geometry): Piece =>
  planPiece(offset, { kind, end }, claimEnd, sizes)

describe('data', () => {
  test('is copied, one MiB at most', () => {
    expect(plan(0, 'data', 10 * MiB, 10 * MiB)).toEqual({ method: 'copy', bytes: MiB })
    expect(plan(0, 'data', 3 * unit, 10 * MiB)).toEqual({ method: 'copy', bytes: 3 * unit })
  })

  test('that ends inside a unit: first the whole units, then the mixed one', () => {
    expect(plan(0, 'data', 3 * unit + 512, 10 * MiB)).toEqual({ method: 'copy', bytes: 3 * unit })
    expect(plan(3 * unit, 'data', 3 * unit + 512, 10 * MiB)).toEqual({ method: 'copy', bytes: unit })
  })

  test('a unit longer than one MiB is copied whole', () => {
    const huge = { ...geometry, unit: 4 * MiB, cluster: 4 * MiB }
    expect(plan(0, 'data', 16 * MiB, 16 * MiB, huge)).toEqual({ method: 'copy', bytes: 4 * MiB })
  })
})

describe('zeroes', () => {
  test('are zeroed, as many as there are', () => {
    expect(plan(0, 'zero', 10 * MiB, 10 * MiB)).toEqual({ method: 'zero', bytes: 10 * MiB })
    expect(plan(0, 'zero', 20 * MiB, 10 * MiB)).toEqual({ method: 'zero', bytes: 10 * MiB })
  })

  test('in part of a unit are copied with the rest of it', () => {
    expect(plan(0, 'zero', unit - 512, 10 * MiB)).toEqual({ method: 'copy', bytes: unit })
  })

  // Zeroing part of a cluster would have the target read, fill and write it all the same.
  test('are copied outside whole clusters of the target', () => {
    expect(plan(MiB - 2 * unit, 'zero', 3 * MiB + unit, 10 * MiB, big)).toEqual({ method: 'copy', bytes: 2 * unit })
    expect(plan(MiB, 'zero', 3 * MiB + unit, 10 * MiB, big)).toEqual({ method: 'zero', bytes: 2 * MiB })
    expect(plan(3 * MiB, 'zero', 3 * MiB + unit, 10 * MiB, big)).toEqual({ method: 'copy', bytes: unit })
  })

  test("a cluster that the disk's end cuts counts as whole", () => {
    const odd = { ...big, length: 3 * MiB + 512 }
    expect(plan(2 * MiB, 'zero', 3 * MiB + 512, 3 * MiB + 512, odd)).toEqual({ method: 'zero', bytes: MiB + 512 })
  })
})

test('what no image of the chain has is discarded', () => {
  expect(plan(0, 'unallocated', 10 * MiB, 10 * MiB)).toEqual({ method: 'discard', bytes: 10 * MiB })
  expect(plan(unit, 'unallocated', 10 * MiB, 10 * MiB, big)).toEqual({ method: 'copy', bytes: MiB - unit })
})

test.each([1, 2, 3, 4])('plans cover a claim without gap or overlap (seed %i)', (seed) => {
  const { below, pick } = random(seed)
  for (let round = 0; round < 200; round++) {
    const sizes = { ...geometry, cluster: pick([1, 4096, unit, MiB, 2 * MiB]), unit: pick([4096, unit, MiB]) }
    const claimEnd = pick([sizes.length, sizes.unit * (1 + below(40))])
    let at = Math.max(0, claimEnd - sizes.unit * (1 + below(40)))
    let run = { kind: 'data' as RunKind, end: at }
    while (at < claimEnd) {
      if (run.end <= at)
        run = { kind: pick(['data', 'zero', 'unallocated'] as const), end: at + 512 * (1 + below(8192)) }
      const piece = planPiece(at, run, claimEnd, sizes)
      expect(piece.bytes).toBeGreaterThan(0)
      at += piece.bytes
      expect(at).toBeLessThanOrEqual(claimEnd)
      expect(at % sizes.unit === 0 || at % sizes.cluster === 0 || at === claimEnd).toBe(true)
      // Only what the run says may be done without looking at the data.
      if (piece.method !== 'copy') expect([at <= run.end, run.kind !== 'data']).toEqual([true, true])
    }
    expect(at).toBe(claimEnd)
  }
})
