/** Sizes as people type them: `65536`, `64k`, `1.5G`, `0x200`. */

import { BlockError } from '../errors.ts'

/** What became of a size text. */
export type ParsedSize =
  | {
      readonly kind: 'ok'
      /** Bytes, 0 to 2^64 - 1. */
      readonly value: bigint
      /** To be printed as `<program>: warning: <text>`. */
      readonly warning?: string
    }
  /** Not a size at all. */
  | { readonly kind: 'malformed' }
  /** A size, but 2^64 bytes or more. */
  | { readonly kind: 'range' }

/** Lines that the reference prints under an error about a size. */
export const sizeHint: string =
  'Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.'

const suffixes = 'BKMGTPE'
const limit = 1n << 64n

// Leading white space and `+` as the C library skips them.
const decimalPattern = /^[ \t\n\v\f\r]*\+?(\d+)(?:\.(\d*))?([a-z]?)$/i
const hexPattern = /^[ \t\n\v\f\r]*\+?0x([0-9a-f]+?)([kmgtp]?)$/i

/**
 * Reads a size with an optional suffix, `B`, `K`, `M`, `G`, `T`, `P` or `E` in either case (powers of 1024). Whole numbers
 * are exact. A fraction needs a suffix above `B`; it has the precision of a double, as in the reference, and is rounded
 * half up to a byte.
 *
 * @see QEMU 7.2 util/cutils.c: qemu_strtosz (rules observed from the tools)
 */
export function parseSize(text: string): ParsedSize {
  const hex = hexPattern.exec(text)
  if (hex !== null) return parseHex(text, hex[1] ?? '', hex[2] ?? '')
  const decimal = decimalPattern.exec(text)
  if (decimal === null) return { kind: 'malformed' }
  const [, whole = '', fraction = '', suffix = ''] = decimal
  const unit = unitOf(suffix)
  if (unit === undefined) return { kind: 'malformed' }
  const hasFraction = /[1-9]/.test(fraction)
  if (hasFraction && unit === 1n) return { kind: 'malformed' }
  return inRange(BigInt(whole) * unit + (hasFraction ? scaleFraction(fraction, unit) : 0n))
}

/**
 * `0.<digits>` of `unit`. A fraction so long that a double takes it for 1 is one whole unit; the reference lets it wrap
 * around to nothing, which nobody can want.
 */
function scaleFraction(digits: string, unit: bigint): bigint {
  const fixedPoint = BigInt(Math.trunc(Number(`0.${digits}`) * 2 ** 64))
  return (fixedPoint * unit + (1n << 63n)) >> 64n
}

function parseHex(text: string, digits: string, suffix: string): ParsedSize {
  const size = inRange(BigInt(`0x${digits}`) * (unitOf(suffix) ?? 1n))
  if (suffix === '' || size.kind !== 'ok') return size
  return { ...size, warning: `Using a multiplier suffix on hex numbers is deprecated: ${text}` }
}

/** Bytes that a suffix stands for; `undefined` for a letter that is none. */
function unitOf(suffix: string): bigint | undefined {
  if (suffix === '') return 1n
  const power = suffixes.indexOf(suffix.toUpperCase())
  return power < 0 ? undefined : 1n << BigInt(10 * power)
}

function inRange(value: bigint): ParsedSize {
  return value < limit ? { kind: 'ok', value } : { kind: 'range' }
}

/**
 * The value of a size-typed option in bytes, 0 to 2^64 - 1.
 *
 * @param name - option name for the messages
 * @param onWarning - gets deprecation warnings, without prefix
 * @throws BlockError `EINVAL` `Parameter '<name>' expects a non-negative number below 2^64` (with a hint), or
 *   `Value '<text>' is out of range for parameter '<name>'`
 */
export function parseSizeOption(name: string, text: string, onWarning?: (message: string) => void): bigint {
  const size = parseSize(text)
  if (size.kind === 'range') throw new BlockError('EINVAL', `Value '${text}' is out of range for parameter '${name}'`)
  if (size.kind === 'malformed') {
    throw new BlockError('EINVAL', `Parameter '${name}' expects a non-negative number below 2^64`, { hint: sizeHint })
  }
  if (size.warning !== undefined) onWarning?.(size.warning)
  return size.value
}
