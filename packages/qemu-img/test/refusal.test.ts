// Proves that a refusal is an error like any other, which says besides that nothing was done and why.

import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { refusal } from '../src/refusal.ts'

test('a refusal has a code, a message and a reason', () => {
  const error = refusal('size', 'EFBIG', 'too large')
  expect(error).toBeInstanceOf(BlockError)
  expect(error).toMatchObject({ code: 'EFBIG', message: 'too large', details: { reason: 'size' } })
})
