/** Flat options as callers may give them: a map, or an object. */

import type { FlatOptions, OptionScalar } from './schema.ts'

/** Options by name, as text or values: `{ cluster_size: 65536 }`, `{ 'file.cache.direct': 'on' }`. */
export type GivenOptions = FlatOptions | Readonly<Record<string, OptionScalar>>

/** A map of its own, in the order in which the options were given. */
export function flatOptions(given: GivenOptions | undefined): FlatOptions {
  return new Map(given instanceof Map ? given : Object.entries(given ?? {}))
}
