/** Proves how the values of a rule are read, from a file and from options, and what they mean where they are absent. */

import { describe, expect, test } from 'vitest'
import { makeRules, parseRule, ruleKeys } from '../src/rule-options.ts'
import { rule } from './support.ts'

const injectError = (values: Record<string, string | number | boolean>): unknown =>
  makeRules([parseRule('inject-error', rule(values))]).injectError[0]

test('absent values', () => {
  expect(injectError({ event: 'none' })).toEqual({
    event: 'none',
    state: 0,
    ioType: undefined,
    errno: 'EIO',
    sector: undefined,
    once: false,
    immediately: false,
  })
  expect(makeRules([parseRule('set-state', rule({ event: 'none' }))]).setState).toEqual([
    { event: 'none', state: 0, newState: 0 },
  ])
})

test('text and typed values mean the same', () => {
  const expected = { errno: 'ENOSPC', once: true, immediately: true, sector: 16, state: 3, ioType: 'flush' }
  expect(
    injectError({
      event: 'none',
      errno: '28',
      once: 'yes',
      immediately: 'on',
      sector: '0x10',
      state: '03',
      iotype: 'flush',
    }),
  ).toMatchObject(expected)
  expect(
    injectError({ event: 'none', errno: 28, once: true, immediately: true, sector: 16, state: 3, iotype: 'flush' }),
  ).toMatchObject(expected)
})

test('numbers wrap as C integers do', () => {
  expect(injectError({ event: 'none', errno: '4294967301', state: '4294967297', sector: '-1' })).toMatchObject({
    errno: 'EIO',
    state: 1,
    sector: undefined,
  })
  expect(injectError({ event: 'none', errno: '0', state: '-1' })).toMatchObject({ errno: undefined, state: -1 })
})

describe('refused', () => {
  test.each([
    [{}, 'Missing event name for rule'],
    [{ iotype: 'frob' }, 'Missing event name for rule'],
    [{ event: 'foo', iotype: 'frob' }, 'invalid parameter value: foo'],
    [{ event: 'none', iotype: 'frob' }, 'invalid parameter value: frob'],
    [{ event: 'none', iotype: '' }, 'invalid parameter value: '],
    [{ event: 'none', errno: 'abc' }, "Parameter 'errno' expects a number"],
    [{ event: 'none', errno: '5 ' }, "Parameter 'errno' expects a number"],
    [
      { event: 'none', sector: '18446744073709551616' },
      "Value '18446744073709551616' is too large for parameter 'sector'",
    ],
    [{ event: 'none', once: 'maybe' }, "Parameter 'once' expects 'on' or 'off'"],
    [{ event: 'none', once: '1' }, "Parameter 'once' expects 'on' or 'off'"],
    [{ event: 'none', bogus: '1' }, "Invalid parameter 'bogus'"],
    [{ event: 'none', new_state: '1' }, "Invalid parameter 'new_state'"],
    // Ours: the reference takes any number.
    [{ event: 'none', errno: '99999' }, 'errno 99999 is not supported'],
    [{ event: 'none', errno: '-3' }, 'errno -3 is not supported'],
  ])('%j: %s', (values, message) => {
    expect(() => injectError(values)).toThrow(expect.objectContaining({ code: 'EINVAL', message }))
  })

  test('all inject-error rules are looked up before the first set-state rule', () => {
    const texts = [parseRule('set-state', rule({ event: 'foo' })), parseRule('inject-error', rule({ event: 'bar' }))]
    expect(() => makeRules(texts)).toThrow('invalid parameter value: bar')
    expect(() => parseRule('set-state', rule({ event: 'none', errno: '1' }))).toThrow("Invalid parameter 'errno'")
  })
})

test('keys by kind', () => {
  expect(ruleKeys['inject-error']).toEqual(['event', 'state', 'iotype', 'errno', 'sector', 'once', 'immediately'])
  expect(ruleKeys['set-state']).toEqual(['event', 'state', 'new_state'])
})
