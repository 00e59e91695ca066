/** Proves that a job's error keeps the code and its text, and where it came from. */
import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { plainError } from '../src/plain-error.ts'

test('only the text of the code is left, and the cause', () => {
  const error = new BlockError('ENOSPC', 'Could not write L2 table: No space left on device')
  const plain = plainError(error)
  expect(plain).toMatchObject({ code: 'ENOSPC', message: 'No space left on device' })
  expect((plain as BlockError).cause).toBe(error)
})

test('what is no block error stays what it is', () => {
  const bug = new TypeError('bug')
  expect(plainError(bug)).toBe(bug)
})
