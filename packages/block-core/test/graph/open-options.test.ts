// Options that every node has, and what children take over (spec/block-layer.md, sections 7 and 8).
import { expect, test } from 'vitest'
import { ChildRoles } from '../../src/driver/child.ts'
import { plainOpen } from '../../src/graph/new-image.ts'
import { inheritedBy, openFlags, takeBool, takeCommonOptions } from '../../src/graph/open-options.ts'
import type { OptionScalar } from '../../src/options/schema.ts'

const take = (options: Record<string, OptionScalar>, inherited = plainOpen) => {
  const flat = new Map(Object.entries(options))
  return { ...takeCommonOptions(flat, inherited), rest: [...flat.keys()] }
}

test('options are taken out, the others stay', () => {
  const options = take({
    'node-name': 'n',
    driver: 'raw',
    'read-only': true,
    'auto-read-only': 'yes',
    'cache.direct': 'on',
    'cache.no-flush': 'true',
    'force-share': 'y',
    discard: 'unmap',
    'detect-zeroes': 'unmap',
    filename: 'x',
  })
  expect(options).toMatchObject({
    nodeName: 'n',
    driver: 'raw',
    readOnly: true,
    autoReadOnly: true,
    direct: true,
    noFlush: true,
    forceShare: true,
    unmap: true,
    detectZeroes: 'unmap',
    inheritedProblem: undefined,
    ownProblem: undefined,
    rest: ['filename'],
  })
})

test('what is absent is inherited', () => {
  const inherited = { ...plainOpen, readOnly: true, direct: true, unmap: true, forceShare: true }
  expect(take({}, inherited)).toMatchObject({ readOnly: true, direct: true, unmap: true, forceShare: true })
  expect(take({}, inherited)).toMatchObject({ detectZeroes: 'off', nodeName: undefined })
  expect(take({ 'read-only': 'off', 'cache.direct': false }, inherited)).toMatchObject({
    readOnly: false,
    direct: false,
  })
})

test('a driver that is no text is none', () => {
  expect(take({ driver: null }).driver).toBeUndefined()
  expect(take({ driver: 5, 'node-name': null })).toMatchObject({ driver: undefined, nodeName: undefined })
})

test.each<[Record<string, OptionScalar>, string]>([
  [{ 'read-only': 'maybe', 'cache.direct': 'x' }, "Parameter 'read-only' expects 'on' or 'off'"],
  [{ 'cache.no-flush': 1 }, "Parameter 'cache.no-flush' expects 'on' or 'off'"],
  [{ 'force-share': 'on' }, 'force-share=on can only be used with read-only images'],
])('told before the children open: %o', (options, message) => {
  expect(take(options).inheritedProblem?.message).toBe(message)
})

test.each<[Record<string, OptionScalar>, string]>([
  [{ discard: 'foo', 'detect-zeroes': 'foo' }, 'Invalid discard option'],
  [{ 'detect-zeroes': 'foo' }, 'invalid parameter value: foo'],
  [
    { 'detect-zeroes': 'unmap' },
    'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap',
  ],
])('told when the children are open: %o', (options, message) => {
  expect(take(options)).toMatchObject({ inheritedProblem: undefined, ownProblem: { message } })
})

test.each([
  ['ignore', false],
  ['off', false],
  ['on', true],
  ['unmap', true],
])('discard=%s', (discard, unmap) => expect(take({ discard }).unmap).toBe(unmap))

test('booleans', () => {
  for (const [text, value] of Object.entries({
    on: true,
    yes: true,
    true: true,
    y: true,
    off: false,
    no: false,
    n: false,
  }))
    expect(takeBool(new Map([['x', text]]), 'x', !value)).toBe(value)
  expect(takeBool(new Map([['x', false]]), 'x', true)).toBe(false)
  expect(takeBool(new Map(), 'x', true)).toBe(true)
})

const parent = {
  ...plainOpen,
  readOnly: false,
  direct: true,
  noFlush: true,
  noIo: true,
  noBacking: true,
  protocol: false,
}

test('a backing file is read-only, passes discards, and is guessed', () => {
  expect(inheritedBy(ChildRoles.cow, parent, true)).toMatchObject({
    readOnly: true,
    autoReadOnly: false,
    unmap: true,
    direct: true,
    noFlush: true,
    noIo: true,
    noBacking: false,
    protocol: false,
  })
})

test('a format’s file is as writable as the format, and is no format itself', () => {
  expect(inheritedBy(ChildRoles.image, { ...parent, autoReadOnly: true }, true)).toMatchObject({
    readOnly: false,
    autoReadOnly: true,
    unmap: true,
    noIo: false,
    noBacking: false,
    protocol: true,
  })
  expect(inheritedBy(ChildRoles.image, { ...parent, readOnly: true }, true).readOnly).toBe(true)
})

test('data that is not a format’s may be of any format', () => {
  expect(inheritedBy(ChildRoles.data, { ...parent, protocol: true }, false)).toMatchObject({
    protocol: false,
    noIo: true,
  })
  expect(inheritedBy(ChildRoles.data, parent, true).protocol).toBe(true)
  expect(inheritedBy(ChildRoles.filtered, { ...parent, protocol: true }, false).protocol).toBe(true)
  expect(inheritedBy(ChildRoles.metadata, parent, false).protocol).toBe(true)
})

test('flags for the driver', () => {
  expect(openFlags({ ...plainOpen, check: true, unmap: true }, true)).toEqual({
    check: true,
    noIo: false,
    unmap: true,
    direct: false,
    noFlush: false,
    forceShare: false,
    allowReadWrite: true,
    autoReadOnly: false,
    probed: true,
  })
})
