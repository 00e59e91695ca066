/** Proves that claims become runs: joined where they go on, an overlap where a place is taken, broken where there is none. */

import { expect, test } from 'vitest'
import { FileClaims } from '../../../src/features/layout/claims-on-file.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'

const KiB = 1024
const claimsOn = (clusters: number): FileClaims =>
  new FileClaims(makeGeometry({ clusterBits: 10, extendedL2: false, refcountOrder: 4 }), clusters * KiB, KiB)

test('neighbours of one kind are one run', () => {
  const claims = claimsOn(20)
  claims.data('data', 4 * KiB, KiB, KiB)
  claims.data('data', 5 * KiB, KiB, KiB)
  claims.data('data', 9 * KiB, KiB, KiB)
  expect(claims.ready()).toEqual([{ kind: 'data', offset: 4 * KiB, bytes: 2 * KiB, guestBytes: 2 * KiB }])
  expect(claims.rest()).toEqual([{ kind: 'data', offset: 9 * KiB, bytes: KiB, guestBytes: KiB }])
  expect(claims.rest()).toEqual([])
})

test('who may share a cluster does so silently; who may not overlaps', () => {
  const claims = claimsOn(20)
  claims.data('data', 4 * KiB, KiB, KiB)
  claims.data('compressed', 5 * KiB, 100, KiB)
  claims.data('compressed', 5 * KiB + 100, 100, KiB)
  claims.data('snapshot-data', 4 * KiB, KiB, 0)
  expect(claims.rest().map(({ kind, bytes }) => [kind, bytes])).toEqual([
    ['data', KiB],
    ['compressed', KiB],
    ['snapshot-data', 0],
  ])
  claims.data('compressed', 4 * KiB, 100, KiB)
  expect(claims.table('map', 5 * KiB, KiB)).toBe(false)
  expect(claims.rest().filter(({ kind }) => kind === 'overlap')).toHaveLength(2)
})

test('a table of nothing is no claim; one outside the file is broken and not worth reading', () => {
  const claims = claimsOn(20)
  expect(claims.table('snapshot', 3, 0)).toBe(true)
  expect(claims.table('map', 30 * KiB, KiB)).toBe(false)
  expect(claims.table('map', KiB, KiB)).toBe(true)
  claims.data('data', 2 * KiB + 512, KiB, KiB)
  expect(claims.rest()).toEqual([
    { kind: 'broken', offset: 30 * KiB, bytes: KiB },
    { kind: 'map', offset: KiB, bytes: KiB },
    { kind: 'broken', offset: 2 * KiB + 512, bytes: KiB },
  ])
})
