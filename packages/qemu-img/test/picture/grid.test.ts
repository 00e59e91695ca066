/** Proves that a map is drawn with a bounded number of elements, cell by cell, and true to its shares. */

import { expect, test } from 'vitest'
import { CellMap, cellsMax } from '../../src/picture/cells.ts'
import { columns, gridElements, gridHeight } from '../../src/picture/grid.ts'
import { fileKinds, guestKinds } from '../../src/picture/kinds.ts'

const TiB = 2 ** 40

function elements(svg: string, css: string): string[] {
  return svg.match(new RegExp(`<(path|rect) class="${css}"[^>]*>`, 'g')) ?? []
}

test('an empty disk is its rows, and a full one hardly more', () => {
  const map = new CellMap({ bytes: TiB, unit: 65536, kinds: guestKinds(1), empty: 'nothing' })
  const rows = Math.ceil(map.count / columns)
  expect(elements(gridElements(map), 'empty')).toHaveLength(rows + 1)
  expect(elements(gridElements(map), 'd0')).toHaveLength(0)
  map.add(0, 0, TiB)
  expect(elements(gridElements(map), 'd0')).toHaveLength(rows + 1)
  expect(gridHeight(map)).toBeLessThan(500)
})

test('the worst disk has a few elements for each cell', () => {
  const kinds = fileKinds({})
  const map = new CellMap({ bytes: TiB, unit: 65536, kinds, empty: 'free' })
  for (let at = 0; at < TiB; at += map.cellBytes) {
    for (const kind of kinds.keys()) map.add(kind, at + kind, 1)
  }
  const svg = gridElements(map)
  expect(svg.match(/<path/g)?.length).toBeLessThan(cellsMax * (kinds.length + 1))
  expect(svg.length).toBeLessThan(4 * 2 ** 20)
})

test('a cell fills from below, in proportion; a trace is seen', () => {
  const map = new CellMap({ bytes: 3000, unit: 1000, kinds: guestKinds(1), empty: 'nothing' })
  map.add(0, 0, 500)
  map.add(0, 1000, 1)
  const heights = elements(gridElements(map), 'd0').flatMap((path) => /v([0-9.]+)h/.exec(path)?.[1] ?? [])
  expect(heights.map(Number)).toEqual([6.75, 2])
  expect(gridElements(map)).toContain('<title>0 B – 1000 B: data 50.0 %</title>')
})

test('a disk of nothing', () => {
  const map = new CellMap({ bytes: 0, unit: 512, kinds: guestKinds(1), empty: 'nothing' })
  expect(gridElements(map)).not.toContain('NaN')
})
