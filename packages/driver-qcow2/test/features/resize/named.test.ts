/** Proves that a failure is told as the step that failed, with its code. */

import { BlockError } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { named } from '../../../src/features/resize/named.ts'
import { failureOf } from '../../helpers/open-on.ts'

test('a result passes, a failure gets its name', async () => {
  expect(await named('Step', async () => 5)).toBe(5)
  const fails = () => named('Step', () => Promise.reject(BlockError.fromErrno('ENOSPC')))
  expect(await failureOf(fails)).toBe('ENOSPC Step: No space left on device')
})
