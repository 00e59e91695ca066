/** Makes a failing history short: drops steps as long as it still fails. */

import { type HistoryPlan, playHistory } from './run.ts'

/** A short history that fails. */
export interface ShortHistory {
  /** Numbers of the steps that are needed. */
  readonly keep: readonly number[]
  /** What it fails with. */
  readonly failure: string
}

/** Drops halves, quarters … single steps of a history that fails, and what comes after the failure at once. */
export async function shrinkHistory(plan: HistoryPlan): Promise<ShortHistory> {
  let keep = Array.from({ length: plan.steps }, (_, number) => number)
  let failure = 'it did not fail again'
  const fails = async (candidate: readonly number[]): Promise<boolean> => {
    const found = (await playHistory({ ...plan, keep: candidate })).failure
    if (found === undefined) return false
    failure = `step ${found.step}: ${found.what}`
    keep = candidate.filter((number) => number <= found.step)
    return true
  }
  await fails(keep)
  for (let size = Math.ceil(keep.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < keep.length; ) {
      const without = keep.filter((_, index) => index < at || index >= at + size)
      if (!(await fails(without))) at += size
    }
  }
  return { keep, failure }
}
