// Children in options: below a prefix, by name, in lists with the reference's one message about lists.
import { describe, expect, test } from 'vitest'
import { extractPrefix, takeChild, takeChildList } from '../../src/options/child-options.ts'
import type { FlatOptions, OptionScalar } from '../../src/options/schema.ts'
import { parseTypedOptions } from '../../src/options/typed.ts'

const flat = (options: Record<string, OptionScalar>): FlatOptions => new Map(Object.entries(options))

test('extractPrefix takes away what it gives', () => {
  const options = flat({ 'file.driver': 'raw', file: 'x', 'file.file.filename': 'y', filename: 'z' })
  expect([...extractPrefix(options, 'file.')].sort()).toEqual([
    ['driver', 'raw'],
    ['file.filename', 'y'],
  ])
  expect([...options.keys()]).toEqual(['file', 'filename'])
})

test('a child by name and by options: whoever attaches it refuses that', () => {
  expect(takeChild(flat({ file: 'n', 'file.driver': 'file' }), 'file')).toEqual({
    kind: 'parsed-child',
    reference: 'n',
    options: flat({ driver: 'file' }),
  })
  expect(takeChild(flat({ filename: 'n' }), 'file')).toBeUndefined()
})

describe('lists of children', () => {
  test('by name and by options, in their order', () => {
    const options = flat({ 'c.1': 'n', 'c.0.driver': 'raw', 'c.0.file.filename': 'x', c: 'kept', 'cc.0': 'kept' })
    expect(takeChildList(options, 'c')).toEqual([
      { kind: 'parsed-child', reference: undefined, options: flat({ driver: 'raw', 'file.filename': 'x' }) },
      { kind: 'parsed-child', reference: 'n', options: new Map() },
    ])
    expect([...options.keys()]).toEqual(['c', 'cc.0'])
  })

  test('none at all, and an item that is none', () => {
    expect(takeChildList(flat({ d: 1 }), 'c')).toEqual([])
    expect(takeChildList(flat({ 'c.0': null }), 'c')).toEqual([undefined])
  })

  test.each<[string, Record<string, OptionScalar>]>([
    ['a gap', { 'c.0': 'n', 'c.2': 'n' }],
    ['no first one', { 'c.1': 'n' }],
    ['another way to write an index', { 'c.00': 'n' }],
    ['keys that are no indices', { 'c.0': 'n', 'c.file.filename': 'x' }],
    ['name and options', { 'c.0': 'n', 'c.0.driver': 'raw' }],
  ])('%s', (_, options) => {
    expect(() => takeChildList(flat(options), 'c')).toThrow('Option c is not a valid array')
  })

  test('in a schema', () => {
    const schema = { children: { name: 'children', type: 'node-list', help: 'the copies' } } as const
    const { options, leftover } = parseTypedOptions<{ children: unknown }>(schema, flat({ 'children.0': 'n', x: 1 }))
    expect(options.children).toMatchObject([{ reference: 'n' }])
    expect([...leftover.keys()]).toEqual(['x'])
  })
})
