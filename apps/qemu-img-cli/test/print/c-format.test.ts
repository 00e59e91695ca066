// Proves that numbers come out as from C's printf, halves included.

import { expect, test } from 'vitest'
import { fixed2, general3 } from '../../src/print/c-format.ts'

test.each([
  [0, '0.00'],
  [0.125, '0.12'],
  [0.375, '0.38'],
  [0.625, '0.62'],
  [12.5, '12.50'],
  [99.995, '100.00'],
  [100, '100.00'],
  [33.33333, '33.33'],
])('two decimals of %d', (value, text) => expect(fixed2(value)).toBe(text))

test.each([
  [0, '0'],
  [1, '1'],
  [1.125, '1.12'],
  [1.375, '1.38'],
  [999, '999'],
  [999.5, '1e+03'],
  [998.5, '998'],
  [0.9765625, '0.977'],
  [0.977, '0.977'],
  [100, '100'],
  [192, '192'],
])('three digits of %d', (value, text) => expect(general3(value)).toBe(text))
