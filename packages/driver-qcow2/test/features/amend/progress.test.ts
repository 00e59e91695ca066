/** Proves that progress is told step by step, never beyond its total, and that an aborted job stops at the next step. */

import { expect, test } from 'vitest'
import { AmendProgress } from '../../../src/features/amend/progress.ts'

test('steps', () => {
  const seen: [number, number][] = []
  const progress = new AmendProgress({ onProgress: ({ current, total }) => seen.push([current, total]) })
  progress.expect(2)
  progress.step()
  progress.step()
  progress.step()
  expect(seen).toEqual([
    [1, 2],
    [2, 2],
    [3, 3],
  ])
})

test('an aborted job', () => {
  const abort = new AbortController()
  const progress = new AmendProgress({ signal: abort.signal })
  progress.step()
  abort.abort(new Error('enough'))
  expect(() => progress.step()).toThrow('enough')
})
