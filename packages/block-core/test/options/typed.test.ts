/** Text and JSON become the typed options of a schema, or the reference's refusal. */

import { describe, expect, test } from 'vitest'
import { parseJsonFilename } from '../../src/options/json-filename.ts'
import { optionListEntries } from '../../src/options/key-value.ts'
import type { FlatOptions, OptionScalar, OptionSchema } from '../../src/options/schema.ts'
import {
  checkOptionEntries,
  firstInHashOrder,
  parseNumberOption,
  parseTypedOptions,
  scalarText,
} from '../../src/options/typed.ts'
import { describeWithReference, qemuImg } from './reference.ts'

interface Sample {
  file: unknown
  offset?: number | bigint
  size?: number | bigint
  lazy?: boolean
  interval?: number | bigint
  locking?: string
  config?: string
  rules?: readonly FlatOptions[]
  loose?: readonly FlatOptions[]
  perms?: readonly string[]
}

const schema: OptionSchema<Sample> = {
  file: { name: 'file', type: 'node', required: true, help: '' },
  offset: { name: 'offset', type: 'size', help: '' },
  size: { name: 'size', type: 'size', help: '' },
  lazy: { name: 'lazy-refcounts', type: 'bool', help: '' },
  interval: { name: 'cache-clean-interval', type: 'number', help: '' },
  locking: { name: 'locking', type: ['on', 'off', 'auto'], help: '' },
  config: { name: 'config', type: 'string', help: '' },
  rules: { name: 'inject-error', type: 'dict-list', keys: ['event', 'errno'], help: '' },
  loose: { name: 'loose', type: 'dict-list', help: '' },
  perms: { name: 'take-child-perms', type: 'string-list', help: '' },
}

function flat(entries: Record<string, OptionScalar>): FlatOptions {
  return new Map(Object.entries(entries))
}

function parse(entries: Record<string, OptionScalar>) {
  return parseTypedOptions(schema, flat(entries))
}

describe('values', () => {
  test.each<[Record<string, OptionScalar>, Partial<Sample>]>([
    [{}, {}],
    [
      { offset: '1.5k', size: 512 },
      { offset: 1536, size: 512 },
    ],
    [{ size: '18446744073709551615' }, { size: 18446744073709551615n }],
    [{ size: 9007199254740993n }, { size: 9007199254740993n }],
    [{ offset: null }, {}],
    [{ 'lazy-refcounts': true }, { lazy: true }],
    [{ 'lazy-refcounts': 'n' }, { lazy: false }],
    [{ 'cache-clean-interval': '0x10' }, { interval: 16 }],
    [{ locking: true }, { locking: 'on' }],
    [{ locking: 'auto' }, { locking: 'auto' }],
    [{ config: 1 }, { config: '1' }],
    [{ config: '' }, { config: '' }],
  ])('case %#', (entries, expected) => {
    const { options, leftover } = parse(entries)
    expect(options).toEqual(expected)
    expect(leftover.size).toBe(0)
  })

  test.each(['on', 'yes', 'true', 'y'])('%s is on', (text) => {
    expect(parse({ 'lazy-refcounts': text }).options.lazy).toBe(true)
  })
  test.each(['off', 'no', 'false', 'n'])('%s is off', (text) => {
    expect(parse({ 'lazy-refcounts': text }).options.lazy).toBe(false)
  })

  test('what the schema does not know is left over, and the given map is not changed', () => {
    const given = flat({ offset: 1, bogus: 2, 'bogus.x': 3, config: 'c' })
    const { leftover } = parseTypedOptions(schema, given)
    expect([...leftover]).toEqual([
      ['bogus', 2],
      ['bogus.x', 3],
    ])
    expect(given.size).toBe(4)
  })

  test('scalars as text', () => {
    expect([true, false, 5, 5n, 1.5, 'x'].map(scalarText)).toEqual(['on', 'off', '5', '5', '1.5', 'x'])
  })
})

describe('children', () => {
  test('by name, by options, by both', () => {
    expect(parse({ file: 'node0' }).options.file).toEqual({
      kind: 'parsed-child',
      reference: 'node0',
      options: new Map(),
    })
    expect(parse({ 'file.driver': 'file', 'file.filename': 'x' }).options.file).toEqual({
      kind: 'parsed-child',
      reference: undefined,
      options: flat({ driver: 'file', filename: 'x' }),
    })
  })

  // The reference says `A block device must be specified for "file"`; that is for `attach` to say.
  test.each([null, 1, true])('%j is no child', (value) => {
    expect(parse({ file: value as OptionScalar }).options).toEqual({})
  })

  test('a longer name is another option', () => {
    const { options, leftover } = parse({ filename: 'x', 'file.driver': 'raw' })
    expect(options.file).toMatchObject({ options: flat({ driver: 'raw' }) })
    expect([...leftover.keys()]).toEqual(['filename'])
  })
})

describe('lists', () => {
  test('of dictionaries', () => {
    const { options } = parse({ 'inject-error.0.event': 'a', 'inject-error.1.event': 'b', 'inject-error.1.errno': 5 })
    expect(options.rules).toEqual([flat({ event: 'a' }), flat({ event: 'b', errno: 5 })])
  })

  test('of one dictionary without index', () => {
    expect(parse({ 'inject-error.event': 'a' }).options.rules).toEqual([flat({ event: 'a' })])
    expect(parse({ 'loose.x': 1, 'loose.y': 2 }).options.loose).toEqual([flat({ x: 1, y: 2 })])
  })

  test('of strings', () => {
    expect(parse({ 'take-child-perms.0': 'write', 'take-child-perms.1': 'resize' }).options.perms).toEqual([
      'write',
      'resize',
    ])
  })

  // An empty list, or a scalar in the place of a list, is an option that nobody understands.
  test('a scalar is left over', () => {
    expect([...parse({ 'inject-error': null, 'take-child-perms': 'write' }).leftover.keys()]).toEqual([
      ...['inject-error', 'take-child-perms'],
    ])
  })

  const refused: readonly [string, string][] = [
    ['"inject-error":{"bogus":1}', "Unused option 'bogus' for [inject-error]"],
    ['"inject-error":{"event":"none","bogus":1}', "Unknown option 'bogus' for [inject-error]"],
    ['"inject-error":{"event":"none","0.event":"none"}', "Unknown option '0.event' for [inject-error]"],
    ['"inject-error.1":{"event":"none"}', "Unused option '1.event' for [inject-error]"],
    ['"inject-error":[{"event":"none"}],"inject-error.2.event":"none"', "Unused option '2.event' for [inject-error]"],
    ['"inject-error":[{"event":"none"}],"inject-error.00.event":"none"', "Unused option '00.event' for [inject-error]"],
    ['"inject-error":[1]', '[inject-error] section (index 0) does not consist of keys'],
    ['"inject-error":[{"event":"none"},1]', '[inject-error] section (index 1) does not consist of keys'],
    ['"inject-error":[{"event":"none","bogus":1}]', "[inject-error] section doesn't support the option 'bogus'"],
    ['"take-child-perms":[1]', "Invalid parameter type for '[0]', expected: string"],
    ['"take-child-perms":[{"a":"b"}]', "Invalid parameter type for '[0]', expected: string"],
    ['"take-child-perms":{"a":1}', "Invalid parameter type for '<anonymous>', expected: array"],
    ['"take-child-perms":{"1":"write"}', 'List indices are not contiguous, saw 1 elements but 1 largest index'],
    [
      '"take-child-perms":["write"],"take-child-perms.2":"resize"',
      'List indices are not contiguous, saw 2 elements but 2 largest index',
    ],
    ['"take-child-perms":["write"],"take-child-perms.x":"resize"', 'Cannot mix list and non-list keys'],
  ]

  test.each(refused)('%s', (json, message) => {
    expect(() => parseTypedOptions(schema, parseJsonFilename(`json:{${json}}`))).toThrow(
      expect.objectContaining({ code: 'EINVAL', message }),
    )
  })

  describeWithReference('against blkdebug', () => {
    test.each(refused)('%s', (json, message) => {
      const name = `json:{"driver":"blkdebug","image":{"driver":"null-co"},${json}}`
      expect(qemuImg('info', name).stderr).toBe(`qemu-img: Could not open '${name}': ${message}\n`)
    })
  })
})

describe('refusals', () => {
  test.each<[Record<string, OptionScalar>, string]>([
    [{ 'lazy-refcounts': 'maybe' }, "Parameter 'lazy-refcounts' expects 'on' or 'off'"],
    [{ 'lazy-refcounts': 1 }, "Parameter 'lazy-refcounts' expects 'on' or 'off'"],
    [{ offset: true }, "Parameter 'offset' expects a non-negative number below 2^64"],
    [{ offset: -512 }, "Parameter 'offset' expects a non-negative number below 2^64"],
    [{ offset: 2 ** 64 }, "Parameter 'offset' expects a non-negative number below 2^64"],
    [{ offset: '16E' }, "Value '16E' is out of range for parameter 'offset'"],
    [{ 'cache-clean-interval': '1k' }, "Parameter 'cache-clean-interval' expects a number"],
    [{ locking: 'maybe' }, 'invalid parameter value: maybe'],
    // Offset hashes before size, so it is the one that is named.
    [{ size: 'y', offset: 'x' }, "Parameter 'offset' expects a non-negative number below 2^64"],
  ])('%j', (entries, message) => {
    expect(() => parse(entries)).toThrow(expect.objectContaining({ code: 'EINVAL', message }))
  })

  test('a required option that is missing', () => {
    const strict: OptionSchema<{ path: string }> = { path: { name: 'path', type: 'string', required: true, help: '' } }
    expect(() => parseTypedOptions(strict, new Map())).toThrow("Parameter 'path' is missing")
  })
})

test('of what is unknown and what cannot be read, the first in hash order is named', () => {
  const refuse = (type: 'number' | 'bool', known: string, unknown: string) => () => {
    const flat = new Map([
      [unknown, 'x'],
      [known, 'x'],
    ])
    return parseTypedOptions({ known: { name: known, type, help: '' } }, flat, { refusesUnknown: true })
  }
  expect(refuse('number', 'errno', 'new_state')).toThrow("Invalid parameter 'new_state'")
  expect(refuse('bool', 'once', 'errno')).toThrow("Parameter 'once' expects 'on' or 'off'")
})

describe('numbers', () => {
  const good: readonly [string, bigint][] = [
    ['0', 0n],
    ['10', 10n],
    ['+10', 10n],
    [' 10', 10n],
    ['010', 8n],
    ['0x1F', 31n],
    ['-1', (1n << 64n) - 1n],
    ['18446744073709551615', (1n << 64n) - 1n],
  ]
  const bad = ['', ' ', 'x', '1k', '1 ', '08', '0x', '1.0', '--1', '- 1']

  test.each(good)('%j is %d', (text, value) => {
    expect(parseNumberOption('n', text)).toBe(value)
  })
  test.each(bad)('%j is none', (text) => {
    expect(() => parseNumberOption('n', text)).toThrow("Parameter 'n' expects a number")
  })
  test('too large', () => {
    expect(() => parseNumberOption('n', '18446744073709551616')).toThrow(
      "Value '18446744073709551616' is too large for parameter 'n'",
    )
  })

  describeWithReference('against qemu-img create -o refcount_bits', () => {
    const create = (text: string) =>
      qemuImg('create', '-f', 'qcow2', '-o', `refcount_bits=${text}`, '/dev/null/x', '1M')

    test.each(good)('%j', (text, value) => {
      expect(create(text).stdout).toContain(` refcount_bits=${BigInt.asIntN(64, value)}\n`)
    })
    test.each(bad)('%j is none', (text) => {
      expect(create(text).stderr).toBe("qemu-img: /dev/null/x: Parameter 'refcount_bits' expects a number\n")
    })
  })
})

interface Create {
  clusterSize?: number
  lazy?: boolean
  compression?: string
  preallocation?: string
}

const createSchema: OptionSchema<Create> = {
  clusterSize: { name: 'cluster_size', type: 'size', help: '' },
  lazy: { name: 'lazy_refcounts', type: 'bool', help: '' },
  compression: { name: 'compression_type', type: ['zlib', 'zstd'], help: '' },
  preallocation: { name: 'preallocation', type: ['off', 'full'], enumError: 'value', help: '' },
}

describe('creation', () => {
  const parseCreate = (entries: Record<string, string>) =>
    parseTypedOptions(createSchema, flat(entries), { purpose: 'create' })

  test('enumerations have other words, with dashes in names', () => {
    expect(() => parseCreate({ compression_type: 'foo' })).toThrow(
      "Parameter 'compression-type' does not accept value 'foo'",
    )
    expect(() => parseCreate({ preallocation: 'foo' })).toThrow('invalid parameter value: foo')
  })

  test('warnings are passed on', () => {
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    parseTypedOptions(createSchema, flat({ cluster_size: '0x1k' }), { purpose: 'create', onWarning })
    expect(warnings).toEqual(['Using a multiplier suffix on hex numbers is deprecated: 0x1k'])
  })

  const refused: readonly [string, string][] = [
    ['foo=1,cluster_size=x', "Invalid parameter 'foo'"],
    ['lazy_refcounts=x,foo=1', "Parameter 'lazy_refcounts' expects 'on' or 'off'"],
    ['lazy_refcounts=x,lazy_refcounts=on', "Parameter 'lazy_refcounts' expects 'on' or 'off'"],
    ['help=on', "Invalid parameter 'help'"],
    ['=1', "Invalid parameter ''"],
  ]

  test.each(refused)('%s', (text, message) => {
    expect(() => checkOptionEntries(createSchema, optionListEntries(text))).toThrow(
      expect.objectContaining({ code: 'EINVAL', message }),
    )
  })

  test('enumerations are not checked with the text', () => {
    expect(() => checkOptionEntries(createSchema, optionListEntries('compression_type=foo'))).not.toThrow()
  })

  describeWithReference('against qemu-img create', () => {
    test.each(refused)('%s', (text, message) => {
      const { stderr } = qemuImg('create', '-f', 'qcow2', '-o', text, '/dev/null/x', '1M')
      expect(stderr).toBe(`qemu-img: /dev/null/x: ${message}\n`)
    })
  })
})

describe('flat options', () => {
  test('firstInHashOrder', () => {
    expect(firstInHashOrder(flat({ size: 1, offset: 2, driver: 3 }))).toBe('offset')
    expect(firstInHashOrder(new Map())).toBeUndefined()
  })
})
