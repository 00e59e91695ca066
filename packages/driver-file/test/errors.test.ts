/** Proves that no failure loses its code on the way from Node or the C library. */

import { expect, test } from 'vitest'
import { callError, errnoOf, errnoOfResult, isUnsupported, requestError } from '../src/errors.ts'

const systemError = (code: string, errno: number): Error => Object.assign(new Error(code), { code, errno })

test('a known code stays, an unknown one falls back to its number and then to EIO', () => {
  expect(errnoOf(systemError('ENOSPC', -28))).toBe('ENOSPC')
  expect(errnoOf(systemError('WHATEVER', -30))).toBe('EROFS')
  expect(errnoOf(systemError('ENOLCK', -37))).toBe('EIO')
})

test('what did not come from a system call is thrown on: it is a bug', () => {
  expect(() => errnoOf(new TypeError('not a path'))).toThrow(TypeError)
  expect(() => errnoOf(undefined)).toThrow()
})

test('messages have the words of the C library', () => {
  expect(requestError(systemError('EIO', -5)).message).toBe('Input/output error')
  expect(callError(systemError('ENOENT', -2), "Could not open 'x'").message).toBe(
    "Could not open 'x': No such file or directory",
  )
})

test('results of calls are read by number', () => {
  expect(errnoOfResult(-28)).toBe('ENOSPC')
  expect(errnoOfResult(-9999)).toBe('EIO')
  expect(isUnsupported(-95)).toBe(true)
  expect(isUnsupported(-28)).toBe(false)
})
