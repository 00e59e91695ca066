// Contents that say where they belong, and comparisons that say where they fail.
import { expect, test } from 'vitest'
import { expectSameBytes, filled, firstDifference, stamped } from '../../src/testing/patterns.ts'

test('every 8 bytes of a stamp tell their place and salt', () => {
  const whole = stamped(0, 1024, 5)
  expect(stamped(256, 512, 5)).toEqual(whole.subarray(256, 768))
  expect(firstDifference(stamped(0, 1024, 6), whole)).toBe(7)
  const places = new Set(Array.from({ length: 128 }, (_, i) => whole.slice(i * 8, i * 8 + 8).join()))
  expect(places.size).toBe(128)
})

test('the first difference, or none', () => {
  expect(firstDifference(filled(1, 4), filled(1, 4))).toBe(-1)
  expect(firstDifference(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 9, 3))).toBe(1)
  expect(firstDifference(filled(1, 4), filled(1, 5))).toBe(4)
})

test('a difference is told with its place and both bytes', () => {
  expect(() => expectSameBytes(filled(1, 4), filled(1, 4), 'x')).not.toThrow()
  expect(() => expectSameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 255), 'disk')).toThrow(
    'disk: byte 1 is 0x02, expected 0xff',
  )
  expect(() => expectSameBytes(filled(1, 1), filled(1, 2), 'disk')).toThrow('disk: byte 1 is the end, expected 0x01')
})
