/** The options that a node was given for itself, by whoever opened or reopened it; those of its children are theirs. */

import type { AnyDriver, NodeSpec } from '../driver/block-driver.ts'
import type { FlatOptions, OptionSpec } from '../options/schema.ts'

/** Options every node has, but its name and driver. All may change when a node is reopened, except `force-share`. */
export const commonOptionNames: readonly string[] = [
  'read-only',
  'auto-read-only',
  'cache.direct',
  'cache.no-flush',
  'force-share',
  'discard',
  'detect-zeroes',
]

/** The row of a driver's schema that an option belongs to: by its name, or as an item of a list. */
export function rowOf(driver: AnyDriver, option: string): OptionSpec | undefined {
  const rows = Object.values<OptionSpec>(driver.options as Readonly<Record<string, OptionSpec>>)
  return rows.find((row) => option === row.name || (isList(row) && option.startsWith(`${row.name}.`)))
}

/** Names of a driver's options that are children. */
export function childOptionNames(driver: AnyDriver): string[] {
  const rows = Object.values<OptionSpec>(driver.options as Readonly<Record<string, OptionSpec>>)
  return rows.filter((row) => row.type === 'node').map((row) => row.name)
}

function isList(row: OptionSpec): boolean {
  return row.type === 'dict-list' || row.type === 'string-list'
}

/** Options of `flat` that are the driver's own. */
export function ownOptions(driver: AnyDriver, flat: FlatOptions): FlatOptions {
  const own: FlatOptions = new Map()
  for (const [name, value] of flat) {
    const row = rowOf(driver, name)
    if (row !== undefined && row.type !== 'node') own.set(name, value)
  }
  return own
}

/** The same of a description in code; values that cannot be written as text are left out, and never change. */
export function ownOptionsOfSpec(spec: NodeSpec): FlatOptions {
  const own: FlatOptions = new Map()
  const values = spec.options as Readonly<Record<string, unknown>>
  const rows = spec.driver.options as Readonly<Record<string, OptionSpec>>
  for (const [key, row] of Object.entries(rows)) {
    const value = values[key]
    const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    if (scalar && row.type !== 'node') own.set(row.name, value)
  }
  return own
}

/** Options of a description in code that cannot be written as text: they stay when the others are given anew. */
export function wordless(driver: AnyDriver, options: object): Record<string, unknown> {
  const rows = driver.options as Readonly<Record<string, OptionSpec>>
  const isText = (key: string, value: unknown) =>
    rows[key]?.type === 'node' || ['string', 'number', 'bigint', 'boolean', 'undefined'].includes(typeof value)
  return Object.fromEntries(Object.entries(options).filter(([key, value]) => !isText(key, value)))
}
