/** Settings of property tests: one fixed seed, so that a run can be repeated, unless `SEED` names another. */

import type { Parameters } from 'fast-check'

/** For `fc.assert`; fast-check prints the seed when a property fails. */
export function propertySettings<T>(runs = 200): Parameters<T> {
  return { numRuns: runs, seed: Number(process.env.SEED ?? 20221213) }
}
