/** Proves that all copies are waited for, and that a bug in one is not taken for an answer. */

import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { askAll } from '../src/ask.ts'

const children = ['a', 'b', 'c'].map((name) => ({ name }) as Child)

test('answers and failures stand in their places', async () => {
  const done: string[] = []
  const asked = await askAll(children, async ({ name }) => {
    if (name === 'a') throw BlockError.fromErrno('ENOSPC')
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    done.push(name)
    return name
  })
  expect(done).toEqual(['b', 'c'])
  expect(asked.answers).toEqual([undefined, 'b', 'c'])
  expect(asked.outcomes.map((outcome) => outcome?.code)).toEqual(['ENOSPC', undefined, undefined])
})

test('a bug stays one', async () => {
  await expect(askAll(children, () => Promise.reject(new RangeError('bug')))).rejects.toThrow(RangeError)
})
