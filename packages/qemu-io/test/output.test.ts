/** Proves that a remembering output keeps the two apart and forgets what it gave. */

import { expect, test } from 'vitest'
import { recordingOutput } from '../src/output.ts'

test('both outputs, taken once', () => {
  const output = recordingOutput()
  output.out('a')
  output.err('x')
  output.out('b')
  expect(output.take()).toEqual({ out: 'ab', err: 'x' })
  expect(output.take()).toEqual({ out: '', err: '' })
})
