/** Proves what the letters of `open` come to, and how wrong words are refused. */

import { expect, test } from 'vitest'
import { aioNames, cacheModeNames, discardModeNames, OpenSettings } from '../src/open-request.ts'

function request(...options: [string, string?][]) {
  const settings = new OpenSettings()
  for (const [letter, value = ''] of options) expect(settings.take(letter, value)).toBe(true)
  return settings.request({ path: 'disk' })
}

test('as it is without options', () => {
  expect(request()).toEqual({
    path: 'disk',
    readOnly: false,
    snapshot: false,
    copyOnRead: false,
    forceShare: false,
    unmap: true,
    cache: { direct: false, noFlush: false, writeThrough: true },
    aio: undefined,
  })
})

test('letters', () => {
  expect(request(['r'], ['s'], ['C'], ['U'])).toMatchObject({
    readOnly: true,
    snapshot: true,
    copyOnRead: true,
    forceShare: true,
  })
  expect(request(['n'])).toMatchObject({ cache: { direct: true, noFlush: false, writeThrough: false } })
  expect(request(['n'], ['t', 'unsafe'])).toMatchObject({ cache: { direct: false, noFlush: true } })
  expect(request(['d', 'off'])).toMatchObject({ unmap: false })
  expect(request(['d', 'ignore'], ['d', 'unmap'])).toMatchObject({ unmap: true })
  expect([request(['k']).aio, request(['i', 'io_uring']).aio]).toEqual(['native', 'io_uring'])
  expect(new OpenSettings().take('x', '')).toBe(false)
})

test('every name that is offered is taken', () => {
  const settings = new OpenSettings()
  for (const name of cacheModeNames) settings.take('t', name)
  for (const name of discardModeNames) settings.take('d', name)
  for (const name of aioNames) settings.take('i', name)
})

test.each([
  ['t', 'foo', 'Invalid cache option: foo'],
  ['t', 'toString', 'Invalid cache option: toString'],
  ['d', 'foo', 'Invalid discard option: foo'],
  ['i', 'foo', 'Invalid aio option: foo'],
])('-%s %s', (letter, value, message) => {
  expect(() => new OpenSettings().take(letter, value)).toThrow(message)
})

test('sharing by force conflicts with options that forbid it', () => {
  const settings = new OpenSettings()
  settings.take('U', '')
  expect(() => settings.request({ options: new Map([['force-share', 'off']]) })).toThrow(
    '-U conflicts with image options',
  )
  expect(settings.request({ options: new Map([['force-share', 'on']]) }).forceShare).toBe(true)
})
