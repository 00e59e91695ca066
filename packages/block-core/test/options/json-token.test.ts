/** JSON text falls into tokens, and a character that fits nowhere is shown with what was read before it. */

import { expect, test } from 'vitest'
import { nextJsonToken } from '../../src/options/json-token.ts'

/** Kind and text of every token, until the text ends. */
function tokensOf(text: string): string[] {
  const tokens: string[] = []
  for (let token = nextJsonToken(text, 0); token !== undefined; token = nextJsonToken(text, token.end)) {
    tokens.push(`${token.kind} ${token.text}`)
  }
  return tokens
}

test('every kind of token, white space between them', () => {
  expect(tokensOf(` {"a":\t'b' ,\r\n[-1.5e+3,0, true]}`)).toEqual([
    'punctuation {',
    'string "a"',
    'punctuation :',
    "string 'b'",
    'punctuation ,',
    'punctuation [',
    'number -1.5e+3',
    'punctuation ,',
    'number 0',
    'punctuation ,',
    'keyword true',
    'punctuation ]',
    'punctuation }',
  ])
})

test('an escaped quote does not end a string', () => {
  expect(tokensOf(String.raw`"a\"b" 'c\'d'`)).toEqual([String.raw`string "a\"b"`, String.raw`string 'c\'d'`])
})

test.each([
  ['#', '#'],
  ['True', 'T'],
  ['01', '01'],
  ['-x', '-x'],
  ['1.x', '1.x'],
  ['1e+x', '1e+x'],
  ['"a\nb"', '"a\n'],
  ['"open', '"open'],
  ['😀', '😀'],
])('%j is stray from %j on', (text, shown) => {
  expect(() => nextJsonToken(text, 0)).toThrow(`JSON parse error, stray '${shown}'`)
})

test('there is no token behind the last', () => {
  expect(nextJsonToken('1 \t\r\n', 1)).toBeUndefined()
})
