/** Proves that each kind of extent and of run has one place in its map, and every kind a colour in light and in dark. */

import type { LayoutKind } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { depthsMax, fileKindOf, fileKinds, guestKindOf, guestKinds, styleSheet } from '../../src/picture/kinds.ts'

const extent = { depth: 0, present: true, data: true, zero: false, compressed: false }

test('extents of a chain', () => {
  const kinds = guestKinds(3)
  const idOf = (change: Partial<typeof extent>): string | undefined => {
    const kind = guestKindOf(kinds, { ...extent, ...change })
    return kind === undefined ? undefined : kinds[kind]?.id
  }
  expect([idOf({}), idOf({ depth: 2 }), idOf({ compressed: true })]).toEqual(['d0', 'd2', 'compressed'])
  expect([idOf({ zero: true, data: false }), idOf({ present: false, data: false })]).toEqual(['zero', undefined])
})

test('a long chain has colours for its top images, and one for all below', () => {
  const kinds = guestKinds(40)
  expect(kinds).toHaveLength(depthsMax + 2)
  expect(kinds[depthsMax - 1]?.label).toBe('data 5 or more images below')
  expect(guestKindOf(kinds, { ...extent, depth: 30 })).toBe(depthsMax - 1)
  expect(guestKinds(1)[0]?.label).toBe('data')
})

test('runs of a file, by the words of the format', () => {
  const kinds = fileKinds({ map: 'L2 tables' })
  expect(kinds[fileKindOf('map')!]).toEqual({ id: 'map', label: 'L2 tables' })
  expect(fileKindOf('broken' satisfies LayoutKind)).toBeUndefined()
})

test('the style sheet has every kind twice', () => {
  const sheet = styleSheet('svg')
  for (const { id } of [...fileKinds({}), ...guestKinds(9)]) {
    expect(sheet.split(`--${id}:`)).toHaveLength(3)
    expect(sheet).toContain(`.${id}{`)
  }
})
