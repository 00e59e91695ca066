/** The options of a new image as `qemu-img create` prints them. */

import type { FlatOptions, OptionScalar, OptionSpec } from '../options/schema.ts'
import { parseSizeOption } from '../options/size.ts'
import { parseNumberOption } from '../options/typed.ts'

/** One option with its value as text. */
export interface CreationOption {
  readonly name: string
  readonly value: string
}

/**
 * Those that were set or have a default, in declaration order.
 *
 * @throws BlockError `EINVAL` for a value that is no size, or no number
 * @see spec/qemu-img.md, section 16.2
 */
export function creationOptions(known: readonly OptionSpec[], flat: FlatOptions): readonly CreationOption[] {
  const options: CreationOption[] = []
  for (const row of known) {
    const value = flat.get(row.name) ?? row.default
    if (value === undefined || value === null) continue
    options.push({ name: row.name, value: printed(row, value) })
  }
  return options
}

/** Sizes (in bytes) and numbers are printed as signed 64-bit numbers in decimal; everything else as it was given. */
function printed(row: OptionSpec, value: Exclude<OptionScalar, null>): string {
  if (row.type === 'number') return String(BigInt.asIntN(64, parseNumberOption(row.name, String(value))))
  if (row.type !== 'size') return String(value)
  const bytes = typeof value === 'string' ? parseSizeOption(row.name, value) : BigInt(value as number | bigint)
  return String(BigInt.asIntN(64, bytes))
}
