/** Proves that bytes go to the cells that they lie in, and that no disk has more cells than a picture shows. */

import { expect, test } from 'vitest'
import { CellMap, cellsMax } from '../../src/picture/cells.ts'

const kinds = [
  { id: 'a', label: 'A' },
  { id: 'b', label: 'B' },
]
const newMap = (bytes: number, unit: number): CellMap => new CellMap({ bytes, unit, kinds, empty: 'none' })

test('a run goes to every cell that it touches, and ends with the map', () => {
  const map = newMap(250, 100)
  map.add(0, 50, 100)
  map.add(1, 199, 1000)
  map.add(1, 300, 5)
  expect([map.count, map.cellBytes, map.bytesOf(2)]).toEqual([3, 100, 50])
  expect([0, 1, 2].map((cell) => [map.get(cell, 0), map.get(cell, 1)])).toEqual([
    [50, 0],
    [50, 1],
    [0, 50],
  ])
  expect([...map.totals, map.empty]).toEqual([100, 51, 99])
})

test('larger disks have larger cells, of whole clusters', () => {
  for (const bytes of [0, 1, 65536, 2 ** 30, 2 ** 40, 2 ** 52]) {
    const map = newMap(bytes, 65536)
    expect(map.count).toBeLessThanOrEqual(cellsMax)
    expect(map.cellBytes % 65536).toBe(0)
    expect(map.count * map.cellBytes).toBeGreaterThanOrEqual(bytes)
  }
})
