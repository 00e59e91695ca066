// Filters apply in the order given.
import { expect, test } from 'vitest'
import { chain } from '../../src/filters/filter.ts'

test('each filter gets what the one before left', () => {
  const filter = chain(
    (text) => text.replace('a', 'b'),
    (text) => text.replace('b', 'c'),
  )
  expect(filter('a')).toBe('c')
})

test('no filters change nothing', () => {
  expect(chain()('a')).toBe('a')
})
