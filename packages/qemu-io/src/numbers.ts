/** Numbers in command lines, with the reference's complaints. */

import { parseSize } from '@blocklayer/block-core'
import { complain } from './failure.ts'

/** The longest request, and so the largest buffer: 2^31 - 512. */
export const bytesMax = 2147483136

/** Alignment of what is not addressed in bytes: machine state and compressed data. */
export const sectorBytes = 512

/**
 * A byte count or offset: decimal or hexadecimal, with a suffix.
 *
 * @param warn - gets deprecation warnings, without prefix
 * @throws CommandFailure
 */
export function parseNumber(word: string, warn: (message: string) => void): number {
  const size = parseSize(word)
  if (size.kind === 'malformed') {
    throw complain(`Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- ${word}`)
  }
  if (size.kind === 'ok' && size.warning !== undefined) warn(size.warning)
  if (size.kind === 'range' || size.value >= 1n << 63n) {
    throw complain(`Parsing error: argument too large -- ${word}`)
  }
  return Number(size.value)
}

/** A byte: decimal, `0x` and hexadecimal, or `0` and octal. @throws CommandFailure */
export function parsePattern(word: string): number {
  const value = parseInteger(word)
  if (!(value >= 0 && value <= 255)) throw complain(`${word} is not a valid pattern byte`)
  return value
}

/** Milliseconds. @throws CommandFailure */
export function parseMilliseconds(word: string): number {
  const value = parseInteger(word)
  if (!(value >= 0)) throw complain(`${word} is not a valid number`)
  return value
}

/** @throws CommandFailure where `value` is not a multiple of a sector */
export function requireSectors(value: number, what: 'offset' | 'count'): void {
  if (value % sectorBytes !== 0) throw complain(`${value} is not a sector-aligned value for '${what}'`)
}

/** As C's `strtol` with base 0 reads a whole word; `NaN` where it does not. */
function parseInteger(word: string): number {
  const found = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)$/.exec(word)
  if (found === null) return Number.NaN
  const [, sign, digits = ''] = found
  const isOctal = /^0[0-9]/.test(digits)
  if (isOctal && /[89]/.test(digits)) return Number.NaN
  const value = isOctal ? Number.parseInt(digits, 8) : Number(digits)
  return sign === '-' ? -value : value
}
