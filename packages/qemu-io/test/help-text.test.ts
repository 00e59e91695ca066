/** Proves that help is broken at blanks and its options stand under each other. */

import { expect, test } from 'vitest'
import { optionLines, wrapped } from '../src/help-text.ts'

test('lines are not longer than a terminal, and lose no word', () => {
  const text = Array.from({ length: 60 }, (_, i) => 'w'.repeat(1 + (i % 9))).join(' ')
  const lines = wrapped(text)
  expect(lines.join(' ')).toBe(text)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78)
  expect(wrapped('short')).toEqual(['short'])
})

test('options', () => {
  expect(
    optionLines([
      { letter: 'q', text: 'quiet' },
      { letter: 'P', value: 'pattern', text: 'fill' },
    ]),
  ).toEqual(['-q         -- quiet', '-P pattern -- fill'])
  expect(optionLines([])).toEqual([])
})
