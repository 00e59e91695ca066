/** Proves that numbers are written as C writes them. The expected texts are C's. */

import { expect, test } from 'vitest'
import { fixed } from '../src/c-format.ts'

test.each([
  [0.125, 2, '0.12'],
  [0.375, 2, '0.38'],
  [1.5, 3, '1.500'],
  [344.601456, 6, '344.601456'],
  [976.5625, 3, '976.562'],
  [1e21, 3, '1000000000000000000000.000'],
  [Number.POSITIVE_INFINITY, 3, 'inf'],
  [Number.NaN, 3, '-nan'],
])('%f with %i digits', (value, digits, text) => {
  expect(fixed(value, digits)).toBe(text)
})
