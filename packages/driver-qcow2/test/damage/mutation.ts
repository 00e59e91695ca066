/** What a mutation is. */

import type { Part } from './bases.ts'
import type { Victim } from './image.ts'

/** A way to damage an image; deterministic, and known by its name. */
export interface Mutation {
  readonly name: string
  /** What an image must have for it. */
  readonly needs: readonly Part[]
  /** Changes the image; gives another one where the file's length changes. */
  readonly apply: (image: Victim) => Victim
}

/** A mutation in one row. */
export function mutation(name: string, apply: (image: Victim) => Victim, needs: readonly Part[] = []): Mutation {
  return { name, apply, needs }
}

/** Rows of `[what is written, value]` for one field. */
export function variants<Value>(
  field: string,
  values: readonly (readonly [label: string, value: Value])[],
  store: (image: Victim, value: Value) => Victim,
  needs: readonly Part[] = [],
): Mutation[] {
  return values.map(([label, value]) => mutation(`${field} ${label}`, (image) => store(image, value), needs))
}
