/** Proves how facts of any shape are laid out in lines. */

import { expect, test } from 'vitest'
import { infoLines } from '../../src/util/info-lines.ts'

test('values, lists and records', () => {
  const list = ['a', { b: true, 'long-name': -1 }, []]
  expect(infoLines({ 'refcount-bits': 16, list }, 1).sort()).toEqual(
    [
      '    refcount bits: 16',
      '    list:',
      '        [0]: a',
      '        [1]:',
      '            b: true',
      '            long name: -1',
      '        [2]:',
    ].sort(),
  )
  expect(infoLines({ list }, 0).slice(0, 3)).toEqual(['list:', '    [0]: a', '    [1]:'])
  expect(infoLines({}, 3)).toEqual([])
})

test('names are in the order of the reference, whatever order they come in', () => {
  const facts = { compat: '1.1', 'compression-type': 'zlib', 'lazy-refcounts': false, 'refcount-bits': 16 }
  const lines = ['compat: 1.1', 'compression type: zlib', 'lazy refcounts: false', 'refcount bits: 16']
  expect(infoLines(facts, 0)).toEqual(lines)
  expect(infoLines(Object.fromEntries(Object.entries(facts).reverse()), 0)).toEqual(lines)
})
