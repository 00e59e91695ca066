/** `json:` names are read as the reference reads them: its dialect, its nesting, its messages. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonFilename } from '../../src/options/json-filename.ts'
import { propertySettings } from '../util/property.ts'
import { describeWithReference, qemuImg } from './reference.ts'

describe('flattening', () => {
  test.each<[string, Record<string, unknown>]>([
    ['{}', {}],
    [
      '{"driver":"raw","file":{"driver":"file","filename":"x"}}',
      { driver: 'raw', 'file.driver': 'file', 'file.filename': 'x' },
    ],
    ['{"a":[{"b":1},{"b":2}],"c":[true,null]}', { 'a.0.b': 1, 'a.1.b': 2, 'c.0': true, 'c.1': null }],
    ['{"file.filename":"r","file":{"filename":"q"}}', { 'file.filename': 'q' }],
    ['{"file":{"filename":"q"},"file.filename":"r"}', { 'file.filename': 'q' }],
    ['{"file":{"driver":"file"},"file.filename":"q"}', { 'file.driver': 'file', 'file.filename': 'q' }],
    ['{"a":[],"b":{}}', { a: null, b: null }],
    ['{"a":{"":1}}', { 'a.': 1 }],
    ['{"backing":null}', { backing: null }],
  ])('%s', (json, expected) => {
    expect(Object.fromEntries(parseJsonFilename(`json:${json}`))).toEqual(expected)
  })

  test.each(['{"backing":{}}', '{"file":{"backing":[]}}'])('%s is refused', (json) => {
    expect(() => parseJsonFilename(`json:${json}`)).toThrow("Invalid parameter type for 'backing', expected: object")
  })

  test('a key cannot reach a prototype', () => {
    expect([...parseJsonFilename('json:{"__proto__":{"polluted":1}}')]).toEqual([['__proto__.polluted', 1]])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('values', () => {
  test.each<[string, unknown]>([
    ['5', 5],
    ['-0', 0],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551616', 2 ** 64],
    ['1e3', 1000],
    ['1.5E-1', 0.15],
    ["'it\\'s'", "it's"],
    [`'it"s'`, 'it"s'],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u00e9\\u00E9\\ud83d\\ude00é😀"', 'éé😀é😀'],
    ['"\\u0000"', '\0'],
    ['"\x7f"', '\x7f'],
    [' \t\r\n true\n', true],
  ])('%s', (text, value) => {
    expect(parseJsonFilename(`json:{"x":${text}}`).get('x')).toEqual(value)
  })

  test('whatever JSON.stringify writes is read', () => {
    const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), scalar, { noNullPrototype: true }), (object) => {
        const json = JSON.stringify(object)
        // Lone surrogates, which `stringify` escapes, and noncharacters are refused.
        fc.pre(!/\\ud|\p{Noncharacter_Code_Point}/u.test(json))
        expect(Object.fromEntries(parseJsonFilename(`json:${json}`))).toEqual(object)
      }),
      propertySettings(),
    )
  })
})

/** JSON text and what the reference says about it, after `Could not parse the JSON options: `. */
const refused: readonly [string, string][] = [
  ['', 'Expecting a JSON value'],
  [' ', 'Expecting a JSON value'],
  ['{} {}', 'Expecting at most one JSON value'],
  ['{} #', 'Expecting at most one JSON value'],
  ['{},', 'Expecting at most one JSON value'],
  ['{', 'JSON parse error, premature EOI'],
  ['{"a"', 'JSON parse error, premature EOI'],
  ['{"a":', 'JSON parse error, premature EOI'],
  ['{"a":1', 'JSON parse error, premature EOI'],
  ['{"a":1,', 'JSON parse error, premature EOI'],
  ['{"a":[1', 'JSON parse error, premature EOI'],
  ['{"a":1,}', 'JSON parse error, expecting value'],
  ['{,}', 'JSON parse error, expecting value'],
  ['{,', 'JSON parse error, expecting value'],
  ['{,} {', 'JSON parse error, expecting value'],
  ['{:1}', 'JSON parse error, expecting value'],
  ['{"a":]}', 'JSON parse error, expecting value'],
  ['{"a":[1,]}', 'JSON parse error, expecting value'],
  ['{"a":1,"a":}', 'JSON parse error, expecting value'],
  ['}', 'JSON parse error, expecting value'],
  ['{"a" 1}', 'JSON parse error, missing : in object pair'],
  ['{"a"}', 'JSON parse error, missing : in object pair'],
  ['{"a":1 "b":2}', 'JSON parse error, expected separator in dict'],
  ['{"a":1]}', 'JSON parse error, expected separator in dict'],
  ['{"a":1x}', 'JSON parse error, expected separator in dict'],
  ['{"a":0x1}', 'JSON parse error, expected separator in dict'],
  ['{"a":true1}', 'JSON parse error, expected separator in dict'],
  ['{"a":[1 2]}', 'JSON parse error, expected separator in list'],
  ['[1}', 'JSON parse error, expected separator in list'],
  ['{1:2}', 'JSON parse error, key is not a string in object'],
  ['{a:1}', "JSON parse error, invalid keyword 'a'"],
  ['tru', "JSON parse error, invalid keyword 'tru'"],
  ['{"a":1,"a":2}', 'JSON parse error, duplicate key'],
  ['{"a":{"b":1,"b":2}}', 'JSON parse error, duplicate key'],
  ['{a:1,#}', "JSON parse error, stray '#'"],
  ['{"a":True}', "JSON parse error, stray 'T'"],
  ['{"a":nul_l}', "JSON parse error, stray '_'"],
  ['{"a":"x', `JSON parse error, stray '"x'`],
  ['{"a":"\\', `JSON parse error, stray '"\\'`],
  ['{"a":"a\tb"}', `JSON parse error, stray '"a\t'`],
  ['{"a":01}', "JSON parse error, stray '01'"],
  ['{"a":-01}', "JSON parse error, stray '-01'"],
  ['{"a":-}', "JSON parse error, stray '-}'"],
  ['{"a":+1}', "JSON parse error, stray '+'"],
  ['{"a":.5}', "JSON parse error, stray '.'"],
  ['{"a":1.}', "JSON parse error, stray '1.}'"],
  ['{"a":1.5.}', "JSON parse error, stray '.'"],
  ['{"a":1e}', "JSON parse error, stray '1e}'"],
  ['{"a":1e+}', "JSON parse error, stray '1e+}'"],
  ['{"a":%d}', "JSON parse error, stray '%'"],
  ['{"a":\f1}', "JSON parse error, stray '\f'"],
  ['{"a":"\\x"}', 'JSON parse error, invalid escape sequence in string'],
  ['{"a":"\\u12"}', 'JSON parse error, \\u12" is not a valid Unicode character'],
  ['{"a":"\\u"}', 'JSON parse error, \\u" is not a valid Unicode character'],
  ['{"a":"\\u00zz"}', 'JSON parse error, \\u00zz is not a valid Unicode character'],
  ['{"a":"\\ud800"}', 'JSON parse error, \\ud800 is not a valid Unicode character'],
  ['{"a":"\\ud83d\\u0041"}', 'JSON parse error, \\ud83d is not a valid Unicode character'],
  ['{"a":"\\ude00"}', 'JSON parse error, \\ude00 is not a valid Unicode character'],
  ['{"a":"\\uffff"}', 'JSON parse error, \\uffff is not a valid Unicode character'],
  ['{"a":"\\ufdd0"}', 'JSON parse error, \\ufdd0 is not a valid Unicode character'],
  ['{"a":"\\ud83f\\udfff"}', 'JSON parse error, \\ud83f\\udfff is not a valid Unicode character'],
  ['{"a":"\uffff"}', 'JSON parse error, invalid UTF-8 sequence in string'],
  ['{"a":"x\ufdd0\\x"}', 'JSON parse error, invalid UTF-8 sequence in string'],
  ['['.repeat(1025), 'JSON nesting depth limit exceeded'],
]

const noObject = ['[]', '1', '"x"', 'true', 'null', '['.repeat(1024) + ']'.repeat(1024)]

describe('messages', () => {
  test.each(refused)('%s', (json, message) => {
    expect(() => parseJsonFilename(`json:${json}`)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: `Could not parse the JSON options: ${message}` }),
    )
  })

  test.each(noObject)('%s is no object', (json) => {
    expect(() => parseJsonFilename(`json:${json}`)).toThrow('Invalid JSON object given')
  })
})

describeWithReference('against qemu-img info', () => {
  test.each(refused)('%s', (json, message) => {
    const name = `json:${json}`
    const expected = `qemu-img: Could not open '${name}': Could not parse the JSON options: ${message}\n`
    expect(qemuImg('info', name).stderr).toBe(expected)
  })

  test.each(noObject)('%s is no object', (json) => {
    expect(qemuImg('info', `json:${json}`).stderr).toContain('Invalid JSON object given')
  })
})
