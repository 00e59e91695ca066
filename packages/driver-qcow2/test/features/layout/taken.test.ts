/** Proves that each cluster is remembered by itself, as any kind, and that memory is judged before it is taken. */

import { expect, test } from 'vitest'
import { TakenClusters } from '../../../src/features/layout/taken.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'

const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })

test('two neighbours share a byte and not a kind', () => {
  const taken = new TakenClusters(geometry, 10 * 65536, 100)
  taken.take(2, 'reserved')
  taken.take(3, 'header')
  expect([1, 2, 3, 4].map((cluster) => taken.get(cluster))).toEqual([undefined, 'reserved', 'header', undefined])
  expect(taken.count).toBe(11)
})

test('ranges begin at a cluster and end in the file, or one cluster behind it', () => {
  const taken = new TakenClusters(geometry, 10 * 65536, 100)
  expect(taken.holds(10 * 65536, 65536)).toBe(true)
  expect(taken.holds(10 * 65536, 65537)).toBe(false)
  expect(taken.holds(512, 1)).toBe(false)
})

test('too many clusters', () => {
  expect(() => new TakenClusters(geometry, 2 ** 50, 2 ** 20)).toThrow('Describing the layout of this image takes')
})
