/** Proves the usage line, with and without arguments, by name or by the word that was typed. */

import { expect, test } from 'vitest'
import { usageLine } from '../src/syntax.ts'

test('usage lines', () => {
  const command = { name: 'a', summary: 'does', wordsMin: 0 }
  expect(usageLine(command)).toBe('a -- does\n')
  expect(usageLine({ ...command, synopsis: '' })).toBe('a  -- does\n')
  expect(usageLine({ ...command, synopsis: '[x]' }, 'b')).toBe('b [x] -- does\n')
})
