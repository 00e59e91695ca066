/** Sizes mean what they mean to the reference, to the byte, and are refused in its words. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSize, parseSizeOption, sizeHint } from '../../src/options/size.ts'
import { propertySettings } from '../util/property.ts'
import { describeWithReference, qemuImg } from './reference.ts'

const good: readonly [string, bigint][] = [
  ['0', 0n],
  ['65536', 65536n],
  ['010', 10n],
  ['+5', 5n],
  [' \t5', 5n],
  ['5b', 5n],
  ['5B', 5n],
  ['1k', 1024n],
  ['1K', 1024n],
  ['3M', 3n << 20n],
  ['2g', 2n << 30n],
  ['1T', 1n << 40n],
  ['1p', 1n << 50n],
  ['7E', 7n << 60n],
  ['1.', 1n],
  ['1.0', 1n],
  ['1.000b', 1n],
  ['1.k', 1024n],
  ['1.5k', 1536n],
  ['0.00048828125k', 1n],
  ['0.0004882812k', 0n],
  ['1.00048828124k', 1024n],
  ['1.99999999999999994k', 2048n],
  ['1.1G', 1181116006n],
  ['1.1E', 1268213655067531680n],
  ['3.14159265358979323846E', 3622009729038561408n],
  ['0x10', 16n],
  ['0X1f', 31n],
  ['0x1b', 27n],
  ['0x1e', 30n],
  ['0x1k', 1024n],
  ['9223372036854775807', (1n << 63n) - 1n],
]

const malformed = [
  ...[
    '',
    'k',
    '.5k',
    '0x',
    'inf',
    'nan',
    '-1',
    '-0',
    '+-1',
    '--1',
    '1 ',
    '1k ',
    'KiB',
    '1KiB',
    '1kB',
    '1kk',
    '1Z',
    '1i',
  ],
  ...['1.5', '0.1b', '1e3', '1e3k', '0x1.5', '0x1.', '0x1kk', '1.5.1k', '1,5k', '+ 5', '0x 1', '0b1', '1.5x', '١'],
]

const tooLarge = ['16E', '18446744073709551616', '99999999999999999999999', '0x10000000000000000', '16.0E']

describe('parseSize', () => {
  test.each(good)('%j is %d', (text, value) => {
    expect(parseSize(text)).toMatchObject({ kind: 'ok', value })
  })

  test.each(malformed)('%j is malformed', (text) => {
    expect(parseSize(text)).toEqual({ kind: 'malformed' })
  })

  test.each(tooLarge)('%j is out of range', (text) => {
    expect(parseSize(text)).toEqual({ kind: 'range' })
  })

  test('largest', () => {
    expect(parseSize('18446744073709551615')).toEqual({ kind: 'ok', value: (1n << 64n) - 1n })
    expect(parseSize('15.9999999999999999E')).toMatchObject({ kind: 'ok' })
  })

  // The reference wraps these around, to 1024 bytes and to 15E.
  test('a fraction that a double takes for 1 is one', () => {
    expect(parseSize('1.99999999999999999999k')).toEqual({ kind: 'ok', value: 2048n })
    expect(parseSize('15.99999999999999999999E')).toEqual({ kind: 'range' })
  })

  test('a hex number with a suffix is warned about', () => {
    expect(parseSize('0x1k')).toEqual({
      kind: 'ok',
      value: 1024n,
      warning: 'Using a multiplier suffix on hex numbers is deprecated: 0x1k',
    })
    expect(parseSize('0x1b')).toEqual({ kind: 'ok', value: 27n })
  })

  test('every whole number comes back, with every suffix', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat({ max: 6 }), (value, power) => {
        const whole = value >> BigInt(10 * power)
        expect(parseSize(`${whole}${'BKMGTPE'[power]}`)).toEqual({ kind: 'ok', value: whole << BigInt(10 * power) })
      }),
      propertySettings(),
    )
  })

  test('fractions are rounded half up', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 9 - 1 }), fc.integer({ min: 1, max: 3 }), (fraction, power) => {
        const digits = String(fraction).padStart(9, '0')
        const unit = 1n << BigInt(10 * power)
        const billion = 10n ** 9n
        const rounded = (BigInt(fraction) * unit + billion / 2n) / billion
        expect(parseSize(`3.${digits}${'BKMG'[power]}`)).toEqual({ kind: 'ok', value: 3n * unit + rounded })
      }),
      propertySettings(),
    )
  })
})

describe('parseSizeOption', () => {
  test('malformed', () => {
    expect(() => parseSizeOption('offset', 'x')).toThrow(
      expect.objectContaining({
        code: 'EINVAL',
        message: "Parameter 'offset' expects a non-negative number below 2^64",
        hint: sizeHint,
      }),
    )
  })

  test('out of range', () => {
    expect(() => parseSizeOption('size', '16E')).toThrow("Value '16E' is out of range for parameter 'size'")
  })

  test('passes warnings on', () => {
    const warnings: string[] = []
    expect(parseSizeOption('size', '0x2k', (message) => warnings.push(message))).toBe(2048n)
    expect(warnings).toEqual(['Using a multiplier suffix on hex numbers is deprecated: 0x2k'])
  })
})

describeWithReference('against qemu-img', () => {
  // Nothing can be created below /dev/null, but the size is printed before that is found out.
  const create = (...args: string[]) => qemuImg('create', '-u', '-f', 'raw', ...args)

  test.each(good)('%j', (text, value) => {
    expect(create('/dev/null/x', text).stdout).toBe(`Formatting '/dev/null/x', fmt=raw size=${value}\n`)
  })

  test.each(malformed)('%j is malformed', (text) => {
    expect(create('--', '/dev/null/x', text).stderr).toContain('Invalid image size specified. You may use')
  })

  test.each(tooLarge)('%j is too large', (text) => {
    expect(create('/dev/null/x', text).stderr).toContain('Invalid image size specified. Must be between')
  })

  test.each(['x', '', '16E'])('message of an option: %j', (text) => {
    expect(create('-o', `extent_size_hint=${text}`, '/dev/null/x', '1M').stderr).toBe(
      `qemu-img: /dev/null/x: ${failureText('extent_size_hint', text)}`,
    )
  })
})

/** Message and hint of a refused option, as a program prints them. */
function failureText(name: string, text: string): string {
  try {
    parseSizeOption(name, text)
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string }
    return `${message}\n${hint === undefined ? '' : `${hint}\n`}`
  }
  return ''
}
