// Errors carry an errno code for programs and qemu's words for people, and keep both on their way up.
import { expect, test } from 'vitest'
import {
  AssertionError,
  assert,
  BlockError,
  errnoFromNumber,
  errnoNumber,
  errnoText,
  isErrno,
  toBlockError,
} from '../src/errors.ts'

test('a code knows its number and its text', () => {
  expect(errnoText('ENOSPC')).toBe('No space left on device')
  expect(errnoNumber('ENOMEDIUM')).toBe(123)
  expect(errnoFromNumber(28)).toBe('ENOSPC')
  expect(errnoFromNumber(9999)).toBeUndefined()
  expect(isErrno('EIO')).toBe(true)
  expect(isErrno('toString')).toBe(false)
})

test('prepend keeps code, hint and cause', () => {
  const inner = new BlockError('EAGAIN', 'Failed to get "write" lock', {
    hint: 'Is another process using the image [x]?',
  })
  const outer = inner.prepend("Could not open 'x': ")
  expect(outer.message).toBe(`Could not open 'x': Failed to get "write" lock`)
  expect([outer.code, outer.hint, outer.cause]).toEqual(['EAGAIN', inner.hint, inner])
  expect(outer.errnoText).toBe('Resource temporarily unavailable')
})

test('withErrno puts the text of the code behind the message', () => {
  expect(BlockError.withErrno('EIO', 'Could not read L1 table').message).toBe(
    'Could not read L1 table: Input/output error',
  )
  expect(BlockError.fromErrno('EPERM').message).toBe('Operation not permitted')
})

test('a foreign error keeps its code, and a bug is never made into an I/O error', () => {
  expect(toBlockError(Object.assign(new Error('x'), { code: 'EACCES' })).code).toBe('EACCES')
  const bug = new TypeError('bug')
  expect(() => toBlockError(bug)).toThrow(bug)
  expect(() => assert(false, 'impossible')).toThrow(AssertionError)
})

test('an error from another copy of this module is an instance too', () => {
  class OtherCopy extends Error {
    override readonly name = 'BlockError'
    readonly code = 'EINVAL'
  }
  expect(new OtherCopy('x') instanceof BlockError).toBe(true)
  expect(new Error('x') instanceof BlockError).toBe(false)
  const others: readonly unknown[] = [null, undefined, 'BlockError', {}]
  for (const other of others) expect(other instanceof BlockError).toBe(false)
})
