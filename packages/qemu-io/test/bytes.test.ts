/** Proves comparing, filling and showing of buffers, at every alignment that a part of a buffer can have. */

import { expect, test } from 'vitest'
import { dumpLines, fillCyclically, isFilledWith } from '../src/bytes.ts'

test('a buffer of one byte, and every place where another can hide', () => {
  for (let start = 0; start < 5; start++) {
    for (let length = 0; length < 14; length++) {
      const data = new Uint8Array(32).subarray(start, start + length).fill(0xcd)
      expect(isFilledWith(data, 0xcd)).toBe(true)
      for (let at = 0; at < length; at++) {
        data[at] = 0xcc
        expect(isFilledWith(data, 0xcd)).toBe(false)
        data[at] = 0xcd
      }
    }
  }
})

test.each([
  ['abc', 10, 'abcabcabca'],
  ['abc', 2, 'ab'],
  ['a', 5, 'aaaaa'],
  ['abcd', 8, 'abcdabcd'],
  ['abc', 0, ''],
])('%s, %i bytes of it', (source, bytes, text) => {
  const buffer = new Uint8Array(bytes)
  fillCyclically(buffer, new TextEncoder().encode(source))
  expect(new TextDecoder().decode(buffer)).toBe(text)
})

test('bytes as text', () => {
  const data = new TextEncoder().encode('abcabcabcabcabcaZ0.\n')
  expect([...dumpLines(data, 65530)]).toEqual([
    '0000fffa:  61 62 63 61 62 63 61 62 63 61 62 63 61 62 63 61  abcabcabcabcabca\n',
    '0001000a:  5a 30 2e 0a  Z0..\n',
  ])
  expect([...dumpLines(new Uint8Array(1), 2 ** 36)]).toEqual(['1000000000:  00  .\n'])
  expect([...dumpLines(new Uint8Array(0), 0)]).toEqual([])
})
