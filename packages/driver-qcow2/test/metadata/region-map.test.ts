/** Proves that ranges overlap when they share a byte, and that a region can be registered again. */

import { expect, test } from 'vitest'
import { RegionMap, rangesOverlap, regionNames, regionTitles } from '../../src/metadata/region-map.ts'

test.each([
  { a: [0, 10], b: [10, 20], overlap: false },
  { a: [10, 20], b: [0, 10], overlap: false },
  { a: [0, 11], b: [10, 20], overlap: true },
  { a: [12, 13], b: [10, 20], overlap: true },
  { a: [0, 30], b: [10, 20], overlap: true },
  { a: [2 ** 50, 2 ** 50 + 1], b: [2 ** 50, 2 ** 51], overlap: true },
])('$a and $b: $overlap', ({ a, b, overlap }) => {
  expect(rangesOverlap(a[0]!, a[1]!, b[0]!, b[1]!)).toBe(overlap)
})

test('regions are registered by name, the last one counts', () => {
  const map = new RegionMap()
  expect(map.test('active-l1')).toBeUndefined()
  map.register('active-l1', () => false)
  map.register('active-l1', () => true)
  expect(map.test('active-l1')?.(0, 1)).toBe(true)
})

test('every region has a title', () => {
  expect(regionNames).toHaveLength(9)
  expect(regionTitles['active-l2']).toBe('active L2 table')
})
