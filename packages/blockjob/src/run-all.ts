/** Cleaning up without losing an error. */

import { BlockError } from '@blocklayer/block-core'

/**
 * Runs every step, also after one has failed, and throws the first failure at the end; the others are in its cause.
 *
 * @param first - a failure that is there already: it is thrown when all steps have run
 */
export async function runAll(steps: readonly (() => unknown)[], first?: unknown): Promise<void> {
  const failures: unknown[] = first === undefined ? [] : [first]
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw joined(failures)
}

function joined(failures: readonly unknown[]): unknown {
  const [first] = failures
  if (failures.length === 1 || !(first instanceof BlockError)) return first
  return new BlockError(first.code, first.message, { cause: new AggregateError(failures), hint: first.hint })
}
