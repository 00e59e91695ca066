/** The reference's JSON dialect, with its messages: single quotes are strings too, and equal keys are an error. */

import { BlockError } from '../errors.ts'
import { type JsonToken, nextJsonToken } from './json-token.ts'

/** What a JSON text may hold. Objects are maps, so that no key can reach a prototype. */
export type JsonTree = string | number | bigint | boolean | null | JsonTree[] | Map<string, JsonTree>

/** Levels of brackets and braces that the reference accepts. */
const depthMax = 1024

/**
 * Reads one JSON value. Integers that a `number` cannot hold become `bigint`, those past 64 bits floating point.
 *
 * @throws BlockError `EINVAL` `JSON parse error, <what>`, `Expecting a JSON value`, `Expecting at most one JSON value`
 *   or `JSON nesting depth limit exceeded`
 * @see QEMU 7.2 qobject/json-parser.c (messages and their order observed from the tools)
 */
export function parseQemuJson(text: string): JsonTree {
  const { tokens, end } = firstGroup(text)
  if (tokens.length === 0) throw new BlockError('EINVAL', 'Expecting a JSON value')
  const tree = new Parser(tokens).value()
  if (/[^ \t\r\n]/.test(text.slice(end))) throw new BlockError('EINVAL', 'Expecting at most one JSON value')
  return tree
}

/**
 * The tokens of the first value: up to where its brackets balance. The reference parses no earlier, so a stray character
 * inside them is reported before any other error in them.
 */
function firstGroup(text: string): { tokens: JsonToken[]; end: number } {
  const tokens: JsonToken[] = []
  let braces = 0
  let brackets = 0
  let end = 0
  for (;;) {
    const token = nextJsonToken(text, end)
    if (token === undefined) return { tokens, end: text.length }
    end = token.end
    tokens.push(token)
    if (token.text === '{') braces++
    if (token.text === '}') braces--
    if (token.text === '[') brackets++
    if (token.text === ']') brackets--
    if (braces < 0 || brackets < 0 || (braces === 0 && brackets === 0)) return { tokens, end }
    if (braces + brackets > depthMax) throw new BlockError('EINVAL', 'JSON nesting depth limit exceeded')
  }
}

/** Recursive descent over the tokens of one value; the depth is bounded already. */
class Parser {
  readonly #tokens: readonly JsonToken[]
  #next = 0

  constructor(tokens: readonly JsonToken[]) {
    this.#tokens = tokens
  }

  value(): JsonTree {
    const token = this.#take()
    switch (token.kind) {
      case 'string':
        return unescapeString(token.text)
      case 'number':
        return numberValue(token.text)
      case 'keyword':
        return keywordValue(token.text)
      default:
        if (token.text === '{') return this.#object()
        if (token.text === '[') return this.#list()
        throw parseError('expecting value')
    }
  }

  #object(): Map<string, JsonTree> {
    const members = new Map<string, JsonTree>()
    if (this.#skip('}')) return members
    for (;;) {
      const key = this.value()
      if (typeof key !== 'string') throw parseError('key is not a string in object')
      if (this.#take().text !== ':') throw parseError('missing : in object pair')
      const value = this.value()
      if (members.has(key)) throw parseError('duplicate key')
      members.set(key, value)
      const { text } = this.#take()
      if (text === '}') return members
      if (text !== ',') throw parseError('expected separator in dict')
    }
  }

  #list(): JsonTree[] {
    const items: JsonTree[] = []
    if (this.#skip(']')) return items
    for (;;) {
      items.push(this.value())
      const { text } = this.#take()
      if (text === ']') return items
      if (text !== ',') throw parseError('expected separator in list')
    }
  }

  #take(): JsonToken {
    const token = this.#tokens[this.#next++]
    if (token === undefined) throw parseError('premature EOI')
    return token
  }

  #skip(text: string): boolean {
    if (this.#tokens[this.#next]?.text !== text) return false
    this.#next++
    return true
  }
}

function keywordValue(text: string): JsonTree {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  throw parseError(`invalid keyword '${text}'`)
}

/** Integers of 64 bits, signed or unsigned, stay exact; all else is a double. */
function numberValue(text: string): number | bigint {
  if (!/^-?\d+$/.test(text)) return Number(text)
  const value = BigInt(text)
  if (value < -(1n << 63n) || value >= 1n << 64n) return Number(text)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** @param quoted - the whole token, quotes included */
function unescapeString(quoted: string): string {
  const body = quoted.slice(1, -1)
  let text = ''
  let at = 0
  for (;;) {
    const backslash = body.indexOf('\\', at)
    if (backslash < 0) return text + literal(body.slice(at))
    text += literal(body.slice(at, backslash))
    const letter = body[backslash + 1] ?? ''
    if (letter === 'u') {
      // The message about a bad code shows four characters, and the closing quote may be one of them.
      const code = unicodeEscape(quoted.slice(backslash + 1))
      text += code.text
      at = backslash + code.length
    } else {
      const character = shortEscapes[letter]
      if (character === undefined) throw parseError('invalid escape sequence in string')
      text += character
      at = backslash + 2
    }
  }
}

/** Text without escapes; characters that Unicode says are none pass for broken UTF-8, as in the reference. */
function literal(text: string): string {
  if (/[\p{Noncharacter_Code_Point}\p{Surrogate}]/u.test(text)) throw parseError('invalid UTF-8 sequence in string')
  return text
}

/** The character (or surrogate pair) that `rest` begins with as `\uXXXX`. */
function unicodeEscape(rest: string): { text: string; length: number } {
  const unit = /^\\u([0-9a-f]{4})/i.exec(rest)?.[1]
  if (unit === undefined) throw badCodePoint(rest.slice(0, 6))
  const pair = /^\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/i.exec(rest)?.[0]
  const shown = pair ?? rest.slice(0, 6)
  const text = String.fromCharCode(
    ...shown
      .slice(2)
      .split('\\u')
      .map((hex) => Number.parseInt(hex, 16)),
  )
  const codePoint = text.codePointAt(0) ?? 0
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
  const isNoncharacter = (codePoint >= 0xfdd0 && codePoint <= 0xfdef) || codePoint % 0x10000 >= 0xfffe
  if (isSurrogate || isNoncharacter) throw badCodePoint(shown)
  return { text, length: shown.length }
}

function badCodePoint(shown: string): BlockError {
  return parseError(`${shown} is not a valid Unicode character`)
}

function parseError(what: string): BlockError {
  return new BlockError('EINVAL', `JSON parse error, ${what}`)
}
