/** Proves how votes are counted, and who wins when nobody has more than another. */

import { bytesEqual } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { countVotes, winnerOf } from '../src/vote.ts'

const count = (letters: string) =>
  countVotes(
    [...letters].map((c) => (c === '-' ? undefined : c)),
    (a, b) => a === b,
  )

test('equal answers are one version, in the order in which they came up', () => {
  expect(count('abacb')).toEqual([
    { value: 'a', voters: [0, 2] },
    { value: 'b', voters: [1, 4] },
    { value: 'c', voters: [3] },
  ])
  expect(count('-a-')).toEqual([{ value: 'a', voters: [1] }])
  const bytes = [Uint8Array.of(1, 2), Uint8Array.of(1, 3), Uint8Array.of(1, 2)]
  expect(countVotes(bytes, bytesEqual).map(({ voters }) => voters)).toEqual([[0, 2], [1]])
})

test.each([
  ['aab', 'a'],
  ['abb', 'b'],
  ['abab', 'b'],
  ['baba', 'a'],
  ['baab', 'a'],
  ['abc', 'c'],
  ['a', 'a'],
])('of %s, %s wins', (letters, winner) => {
  expect(winnerOf(count(letters))?.value).toBe(winner)
})

test('nobody wins where nobody votes', () => expect(winnerOf(count('--'))).toBeUndefined())
