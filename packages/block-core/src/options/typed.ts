/** Flat options into the typed object that a driver's schema describes, with the reference's messages. */

import { BlockError } from '../errors.ts'
import { hashOrdered, toQemuJson } from '../util/json.ts'
import { extractPrefix, takeChild, takeChildList } from './child-options.ts'
import { optionSpecs } from './help.ts'
import { dictList, stringList } from './list-options.ts'
import type { FlatOptions, OptionScalar, OptionSchema, OptionSpec } from './schema.ts'
import { parseSizeOption } from './size.ts'

/** How options are read. */
export interface TypedOptionsRules {
  /** `create`: options of a new image, whose enumerations have messages of their own. Default `open`. */
  readonly purpose?: 'open' | 'create'
  /** An option that the schema does not know is an error in its turn: `Invalid parameter '<name>'`. Default: left over. */
  readonly refusesUnknown?: boolean
  /** Gets deprecation warnings, without prefix. */
  readonly onWarning?: (message: string) => void
}

/** What `parseTypedOptions` gives. */
export interface TypedOptions<T> {
  readonly options: T
  /** What the schema does not know. */
  readonly leftover: FlatOptions
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['on', 'yes', 'true', 'y'].map((word) => [word, true] as const),
  ...['off', 'no', 'false', 'n'].map((word) => [word, false] as const),
])

/**
 * Takes the options of `schema` out of a copy of `flat`. Options that are absent, or null, are absent in the result.
 * Sizes and numbers become `number` where that is exact, else `bigint`. Errors come in the reference's order: for `open`
 * by key hash, for `create` as written.
 *
 * @throws BlockError `EINVAL`: `Parameter '<name>' expects 'on' or 'off'`, `… expects a number`, `… expects a
 *   non-negative number below 2^64`, `Invalid parameter '<name>'`, `… does not accept value '<value>'`, `invalid parameter value: <value>`,
 *   `Parameter '<name>' is missing`, and those of list options
 */
export function parseTypedOptions<T>(
  schema: OptionSchema<T>,
  flat: FlatOptions,
  rules: TypedOptionsRules = {},
): TypedOptions<T> {
  const keyOf = new Map(Object.entries<OptionSpec>(schema).map(([key, spec]) => [spec.name, key]))
  const leftover: FlatOptions = new Map(flat)
  const options: Record<string, unknown> = {}
  const entries = rules.purpose === 'create' ? [...flat] : hashOrdered(flat)
  for (const [name, value] of entries) {
    const key = keyOf.get(name)
    const spec = key === undefined ? undefined : schema[key as keyof T]
    if (spec === undefined && rules.refusesUnknown === true) throw unknownOption(name)
    if (key === undefined || spec === undefined || isStructured(spec)) continue
    leftover.delete(name)
    if (value !== null) options[key] = parseScalar(spec, value, rules)
  }
  for (const [key, spec] of Object.entries<OptionSpec>(schema)) {
    const value = isStructured(spec) ? takeStructured(spec, leftover) : options[key]
    if (value !== undefined) options[key] = value
    // A missing child is refused where it is attached, in words that `attach` knows.
    else if (spec.required === true && spec.type !== 'node') {
      throw new BlockError('EINVAL', `Parameter '${spec.name}' is missing`)
    }
  }
  return { options: options as T, leftover }
}

/**
 * Checks the entries of `-o` in the order they were written: names that exist, booleans, sizes and numbers that parse. The
 * reference does so before it does anything else; enumerations it checks later, in `parseTypedOptions`.
 *
 * @throws BlockError `EINVAL` `Invalid parameter '<name>'`, or as `parseTypedOptions`
 */
export function checkOptionEntries<T>(
  schema: OptionSchema<T>,
  entries: Iterable<readonly [string, string]>,
  rules: Pick<TypedOptionsRules, 'onWarning'> = {},
): void {
  const specs = new Map(optionSpecs(schema).map((spec) => [spec.name, spec]))
  for (const [name, value] of entries) {
    const spec = specs.get(name)
    if (spec === undefined) throw unknownOption(name)
    if (spec.type === 'bool' || spec.type === 'size' || spec.type === 'number') parseScalar(spec, value, rules)
  }
}

/** The key that the reference names when several are wrong: the first in hash order. `undefined` for no options. */
export function firstInHashOrder(flat: FlatOptions): string | undefined {
  return hashOrdered(flat)[0]?.[0]
}

function unknownOption(name: string): BlockError {
  return new BlockError('EINVAL', `Invalid parameter '${name}'`)
}

function isStructured(spec: OptionSpec): boolean {
  return spec.type === 'node' || spec.type === 'node-list' || spec.type === 'dict-list' || spec.type === 'string-list'
}

function takeStructured(spec: OptionSpec, flat: FlatOptions): unknown {
  if (spec.type === 'node') return takeChild(flat, spec.name)
  if (spec.type === 'node-list') return takeChildList(flat, spec.name)
  const below = extractPrefix(flat, `${spec.name}.`)
  if (below.size === 0) return undefined
  return spec.type === 'dict-list' ? dictList(spec, below) : stringList(below)
}

function parseScalar(spec: OptionSpec, value: OptionScalar, rules: TypedOptionsRules): unknown {
  // The reference turns every scalar into text and reads that, so 1024 and "1k" are equally good.
  const text = scalarText(value)
  switch (spec.type) {
    case 'string':
      return text
    case 'bool':
      return parseBool(spec.name, text)
    case 'size':
      return compact(parseSizeOption(spec.name, text, rules.onWarning))
    case 'number':
      return compact(parseNumberOption(spec.name, text))
    default:
      return parseEnum(spec, text, rules.purpose ?? 'open')
  }
}

/** The text that stands for a scalar on a command line: booleans as `on` and `off`. */
export function scalarText(value: OptionScalar): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'string' ? value : toQemuJson(value, { pretty: false })
}

function parseBool(name: string, text: string): boolean {
  const value = booleans.get(text)
  if (value === undefined) throw new BlockError('EINVAL', `Parameter '${name}' expects 'on' or 'off'`)
  return value
}

const number64 = 1n << 64n

/**
 * The value of a number-typed option, 0 to 2^64 - 1: decimal, `0x` hex or `0` octal; a minus sign counts down from 2^64.
 *
 * @throws BlockError `EINVAL` `Parameter '<name>' expects a number` or `Value '<text>' is too large for parameter '<name>'`
 */
export function parseNumberOption(name: string, text: string): bigint {
  const match = /^[ \t\n\v\f\r]*([+-]?)(?:0x([0-9a-f]+)|(0[0-7]*)|([1-9]\d*))$/i.exec(text)
  if (match === null) throw new BlockError('EINVAL', `Parameter '${name}' expects a number`)
  const [, sign, hex, octal, decimal = '0'] = match
  const magnitude = BigInt(hex !== undefined ? `0x${hex}` : octal !== undefined ? `0o${octal}` : decimal)
  if (magnitude >= number64) {
    throw new BlockError('EINVAL', `Value '${text}' is too large for parameter '${name}'`)
  }
  return BigInt.asUintN(64, sign === '-' ? -magnitude : magnitude)
}

function compact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function parseEnum(spec: OptionSpec, text: string, purpose: 'open' | 'create'): string {
  if ((spec.type as readonly string[]).includes(text)) return text
  const style = spec.enumError ?? (purpose === 'create' ? 'parameter' : 'value')
  if (style === 'value') throw new BlockError('EINVAL', `invalid parameter value: ${text}`)
  throw new BlockError('EINVAL', `Parameter '${spec.name.replaceAll('_', '-')}' does not accept value '${text}'`)
}
