// Proves that sizes are worded as by the reference, with its unit change at 1000 and its exponent quirk.

import { expect, test } from 'vitest'
import { humanSize } from '../../src/print/human-size.ts'

test.each([
  [0, '0 B'],
  [512, '512 B'],
  [999, '999 B'],
  [1000, '0.977 KiB'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [1152, '1.12 KiB'],
  [196608, '192 KiB'],
  [1023488, '1e+03 KiB'],
  [1024000, '0.977 MiB'],
  [1048064, '1 MiB'],
  [1000000000, '954 MiB'],
  [1079296, '1.03 MiB'],
  [2297856, '2.19 MiB'],
  [2 ** 40, '1 TiB'],
  [2n ** 62n, '4 EiB'],
])('%d bytes', (bytes, text) => expect(humanSize(bytes)).toBe(text))
