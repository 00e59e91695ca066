/** Options that are lists are taken apart by their indices, and gaps, strangers and wrong types are named. */

import { expect, test } from 'vitest'
import { dictList, stringList } from '../../src/options/list-options.ts'
import type { FlatOptions, OptionSpec } from '../../src/options/schema.ts'

const rules: OptionSpec = {
  name: 'inject-error',
  type: 'dict-list',
  help: 'rules',
  keys: ['event', 'errno'],
}

function flat(entries: Record<string, string>): FlatOptions {
  return new Map(Object.entries(entries))
}

test('items come in the order of their indices', () => {
  const items = dictList(rules, flat({ '1.event': 'b', '0.event': 'a', '0.errno': '5' }))
  expect(items.map((item) => Object.fromEntries(item))).toEqual([{ event: 'a', errno: '5' }, { event: 'b' }])
})

test('keys without an index make one item', () => {
  expect(dictList(rules, flat({ event: 'a', errno: '5' })).map((item) => item.size)).toEqual([2])
})

test.each<[Record<string, string>, string]>([
  [{ event: 'a', other: 'b' }, "Unknown option 'other' for [inject-error]"],
  [{ '1.event': 'a' }, "Unused option '1.event' for [inject-error]"],
  [{ '0.event': 'a', '2.event': 'b' }, "Unused option '2.event' for [inject-error]"],
  [{ '0.other': 'a' }, "[inject-error] section doesn't support the option 'other'"],
  [{ '0': 'a' }, '[inject-error] section (index 0) does not consist of keys'],
])('dictionaries: %j is refused', (entries, message) => {
  expect(() => dictList(rules, flat(entries))).toThrow(message)
})

test('strings come in the order of their indices', () => {
  expect(stringList(flat({ '1': 'b', '0': 'a' }))).toEqual(['a', 'b'])
})

test.each<[Record<string, string>, string]>([
  [{ a: 'b' }, "Invalid parameter type for '<anonymous>', expected: array"],
  [{ '0': 'a', b: 'c' }, 'Cannot mix list and non-list keys'],
  [{ '0': 'a', '2': 'b' }, 'List indices are not contiguous, saw 2 elements but 2 largest index'],
  [{ '0.x': 'a' }, "Invalid parameter type for '[0]', expected: string"],
])('strings: %j is refused', (entries, message) => {
  expect(() => stringList(flat(entries))).toThrow(message)
})
