/** Proves how numbers are read and refused. */

import { expect, test } from 'vitest'
import { CommandFailure } from '../src/failure.ts'
import { parseMilliseconds, parseNumber, parsePattern, requireSectors } from '../src/numbers.ts'

const outcome = (read: () => unknown): unknown => {
  try {
    return read()
  } catch (error) {
    return error instanceof CommandFailure ? error.text.out : error
  }
}

const none = 'Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- '
const large = 'Parsing error: argument too large -- '

test.each([
  ['65536', 65536],
  ['64k', 65536],
  ['1.5K', 1536],
  ['0x200', 512],
  ['1b', 1],
  ['7E', 7 * 2 ** 60],
  ['8E', `${large}8E\n`],
  ['20E', `${large}20E\n`],
  ['', `${none}\n`],
  ['x', `${none}x\n`],
  ['1KiB', `${none}1KiB\n`],
  ['-1', `${none}-1\n`],
])('the number %s', (word, expected) => {
  expect(outcome(() => parseNumber(word, () => {}))).toBe(expected)
})

test('a warning about hexadecimal numbers with a suffix', () => {
  const warnings: string[] = []
  expect(parseNumber('0x10k', (message) => warnings.push(message))).toBe(16384)
  expect(warnings).toEqual(['Using a multiplier suffix on hex numbers is deprecated: 0x10k'])
})

test.each([
  ['0', 0],
  ['255', 255],
  ['0xff', 255],
  ['0XA', 10],
  ['010', 8],
  ['+7', 7],
  ['08', '08 is not a valid pattern byte\n'],
  ['256', '256 is not a valid pattern byte\n'],
  ['-1', '-1 is not a valid pattern byte\n'],
  ['0x', '0x is not a valid pattern byte\n'],
  ['1k', '1k is not a valid pattern byte\n'],
  ['', ' is not a valid pattern byte\n'],
])('the pattern %s', (word, expected) => expect(outcome(() => parsePattern(word))).toBe(expected))

test('milliseconds', () => {
  expect([parseMilliseconds('0x10'), parseMilliseconds('5')]).toEqual([16, 5])
  expect(outcome(() => parseMilliseconds('1x'))).toBe('1x is not a valid number\n')
  expect(outcome(() => parseMilliseconds('-1'))).toBe('-1 is not a valid number\n')
})

test('sectors', () => {
  expect(outcome(() => requireSectors(1024, 'offset'))).toBeUndefined()
  expect(outcome(() => requireSectors(1, 'offset'))).toBe("1 is not a sector-aligned value for 'offset'\n")
  expect(outcome(() => requireSectors(513, 'count'))).toBe("513 is not a sector-aligned value for 'count'\n")
})
