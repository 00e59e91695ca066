/** Cuts JSON text into tokens, and reports a stray character the way the reference's lexer does. */

import { BlockError } from '../errors.ts'

/** One token of JSON text. */
export interface JsonToken {
  readonly kind: 'punctuation' | 'string' | 'number' | 'keyword'
  /** As written, quotes included. */
  readonly text: string
  /** Index behind the token. */
  readonly end: number
}

/**
 * The token at or after `start`, white space skipped; `undefined` at the end of the text.
 *
 * @throws BlockError `EINVAL` `JSON parse error, stray '<text>'`, where the text is what was read of the broken token
 */
export function nextJsonToken(text: string, start: number): JsonToken | undefined {
  let at = start
  while (isWhiteSpace(text[at])) at++
  const first = text[at]
  if (first === undefined) return undefined
  const token = (kind: JsonToken['kind'], end: number): JsonToken => ({ kind, text: text.slice(at, end), end })
  if ('{}[]:,'.includes(first)) return token('punctuation', at + 1)
  if (first === '"' || first === "'") return token('string', stringEnd(text, at, first))
  if (first === '-' || isDigit(first)) return token('number', numberEnd(text, at))
  if (!isLetter(first)) throw stray(text, at, at)
  let end = at
  while (isLetter(text[end])) end++
  return token('keyword', end)
}

/** Any character may follow a backslash here; whether it makes sense is found out when the value is needed. */
function stringEnd(text: string, start: number, quote: string): number {
  for (let i = start + 1; ; i++) {
    if (text[i] === quote) return i + 1
    if (text[i] === '\\') i++
    const unit = text[i]
    if (unit === undefined || unit < ' ') throw stray(text, start, i)
  }
}

function numberEnd(text: string, start: number): number {
  let at = text[start] === '-' ? start + 1 : start
  if (text[at] === '0') {
    at++
    if (isDigit(text[at])) throw stray(text, start, at)
  } else at = digitsEnd(text, start, at)
  if (text[at] === '.') at = digitsEnd(text, start, at + 1)
  if (text[at] !== 'e' && text[at] !== 'E') return at
  const sign = text[at + 1]
  return digitsEnd(text, start, sign === '+' || sign === '-' ? at + 2 : at + 1)
}

/** Index behind one or more digits at `at`, in the token that began at `start`. */
function digitsEnd(text: string, start: number, at: number): number {
  if (!isDigit(text[at])) throw stray(text, start, at)
  let end = at
  while (isDigit(text[end])) end++
  return end
}

function isWhiteSpace(unit: string | undefined): boolean {
  return unit === ' ' || unit === '\t' || unit === '\r' || unit === '\n'
}

function isDigit(unit: string | undefined): boolean {
  return unit !== undefined && unit >= '0' && unit <= '9'
}

function isLetter(unit: string | undefined): boolean {
  return unit !== undefined && unit >= 'a' && unit <= 'z'
}

/** @param culprit - index of the character that does not fit, shown too unless the text ends there */
function stray(text: string, start: number, culprit: number): BlockError {
  const character = text.codePointAt(culprit)
  const shown = text.slice(start, culprit) + (character === undefined ? '' : String.fromCodePoint(character))
  return new BlockError('EINVAL', `JSON parse error, stray '${shown}'`)
}
