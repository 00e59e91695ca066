/** Proves that options are the same from a map and from an object, and that the caller's own stay as they are. */

import { expect, test } from 'vitest'
import { flatOptions } from '../../src/options/flat-options.ts'

test('a map, an object, nothing', () => {
  const map = new Map<string, string | number>([
    ['b', 1],
    ['a', 'on'],
  ])
  expect([...flatOptions(map)]).toEqual([...flatOptions({ b: 1, a: 'on' })])
  expect(flatOptions(undefined).size).toBe(0)
  flatOptions(map).clear()
  expect(map.size).toBe(2)
})
