/** Proves that failures carry their lines, and the hint of an error of the graph. */

import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { CommandFailure, complain, toldBy } from '../src/failure.ts'

test('a line on out', () => {
  const failure = complain('no')
  expect([failure.text, failure.message, failure.name]).toEqual([{ out: 'no\n' }, 'no', 'CommandFailure'])
})

test('an error of the graph keeps its words and its hint', () => {
  const error = new BlockError('EINVAL', 'bad size', { hint: 'use k' })
  expect(toldBy(error, "can't: ").text).toEqual({ told: "can't: bad size", err: 'use k\n' })
  expect(toldBy(BlockError.fromErrno('EIO')).text).toEqual({ told: 'Input/output error' })
  expect(toldBy(error)).toBeInstanceOf(CommandFailure)
  expect(toldBy(error).cause).toBe(error)
})
