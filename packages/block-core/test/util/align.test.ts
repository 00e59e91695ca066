/** Rounding is exact up to 2^53 and for granularities that are no power of two. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alignDown, alignUp, ceilDiv, isAligned } from '../../src/util/align.ts'
import { propertySettings } from './property.ts'

const value = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const granularity = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 40 }),
  fc.nat({ max: 40 }).map((bits) => 2 ** bits),
)

test('agrees with arithmetic in bigint', () => {
  fc.assert(
    fc.property(value, granularity, (n, a) => {
      const rest = BigInt(n) % BigInt(a)
      const up = BigInt(n) + (rest === 0n ? 0n : BigInt(a) - rest)
      expect(BigInt(alignDown(n, a))).toBe(BigInt(n) - rest)
      expect(isAligned(n, a)).toBe(rest === 0n)
      expect(BigInt(ceilDiv(n, a))).toBe(up / BigInt(a))
      if (up <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(alignUp(n, a))).toBe(up)
    }),
    propertySettings(1000),
  )
})

test.each([
  [0, 512, 0, 0, 0],
  [1, 512, 0, 512, 1],
  [512, 512, 512, 512, 1],
  [2 ** 53 - 512, 512, 2 ** 53 - 512, 2 ** 53 - 512, 2 ** 44 - 1],
  [2 ** 32 + 1, 65536, 2 ** 32, 2 ** 32 + 65536, 65537],
])('%d by %d', (n, a, down, up, pieces) => {
  expect([alignDown(n, a), alignUp(n, a), ceilDiv(n, a)]).toEqual([down, up, pieces])
})
