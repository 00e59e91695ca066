/** JSON values are read in the reference's dialect, exact to 64 bits, and what is wrong with a text is said in its words. */

import { expect, test } from 'vitest'
import { parseQemuJson } from '../../src/options/json-parse.ts'

test('values of every kind', () => {
  const tree = parseQemuJson(`{"a": [1, -2.5, true, false, null], 'b': {"c": 'd'}, "e": [], "f": {}}`)
  expect(tree).toEqual(
    new Map<string, unknown>([
      ['a', [1, -2.5, true, false, null]],
      ['b', new Map([['c', 'd']])],
      ['e', []],
      ['f', new Map()],
    ]),
  )
})

test.each<[string, number | bigint]>([
  ['9007199254740991', 9007199254740991],
  ['9007199254740993', 9007199254740993n],
  ['18446744073709551615', 18446744073709551615n],
  ['-9223372036854775808', -9223372036854775808n],
  ['18446744073709551616', 2 ** 64],
  ['1e3', 1000],
])('%s keeps its value', (text, value) => {
  expect(parseQemuJson(text)).toBe(value)
})

test.each([
  [String.raw`"\"\'\\\/\b\f\n\r\t"`, '"\'\\/\b\f\n\r\t'],
  [String.raw`"A\u00e9"`, 'Aé'],
  [String.raw`"\ud83d\ude00"`, '😀'],
])('%s is unescaped', (text, value) => {
  expect(parseQemuJson(text)).toBe(value)
})

test.each([
  ['', 'Expecting a JSON value'],
  ['1 2', 'Expecting at most one JSON value'],
  ['[1', 'JSON parse error, premature EOI'],
  ['[1 2]', 'JSON parse error, expected separator in list'],
  ['{"a":1 "b":2}', 'JSON parse error, expected separator in dict'],
  ['{"a" 1}', 'JSON parse error, missing : in object pair'],
  ['{1:2}', 'JSON parse error, key is not a string in object'],
  ['{"a":1,"a":2}', 'JSON parse error, duplicate key'],
  ['[,]', 'JSON parse error, expecting value'],
  ['[nil]', "JSON parse error, invalid keyword 'nil'"],
  [String.raw`"\q"`, 'JSON parse error, invalid escape sequence in string'],
  [String.raw`"\u12"`, String.raw`JSON parse error, \u12" is not a valid Unicode character`],
  [String.raw`"\ud800"`, String.raw`JSON parse error, \ud800 is not a valid Unicode character`],
  [String.raw`"\uffff"`, String.raw`JSON parse error, \uffff is not a valid Unicode character`],
  ['"\uffff"', 'JSON parse error, invalid UTF-8 sequence in string'],
  ['['.repeat(1025), 'JSON nesting depth limit exceeded'],
])('%j: %s', (text, message) => {
  expect(() => parseQemuJson(text)).toThrow(message)
})

test('a stray character inside brackets comes before any other error in them', () => {
  expect(() => parseQemuJson('{1:#}')).toThrow("JSON parse error, stray '#'")
})
