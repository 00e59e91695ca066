/** Where the reference itself goes wrong, so that a history cannot go on beside it; each is in docs/differences.md. */

import { spawnSync } from 'node:child_process'
import { basename, dirname } from 'node:path'
import type { Action } from './actions.ts'
import type { Outcome } from './ours.ts'

/** A step of ours. */
interface Ours {
  readonly action: Action
  readonly outcome: Outcome
}

/** The same step of the reference. */
interface Theirs {
  readonly said: string
  readonly differences: readonly string[]
  /** What its process printed on stderr, in this step or in others. */
  readonly errors: readonly string[]
}

/**
 * Why the history ends here: the reference cannot do what ours has done. `undefined`: it goes on.
 *
 * @param before - the disk before the step, `length` in bytes; `hasMoreCounts`: see `leavesMoreCounts`, of any step
 */
export function referenceGaveUp(
  { action, outcome }: Ours,
  theirs: Theirs,
  before: { readonly length: number; readonly extendedL2: boolean; readonly hasMoreCounts: boolean },
): string | undefined {
  if (outcome.error !== undefined) {
    if (action.kind === 'amend' && outcome.error.message.includes('zstd compression type and existing compressed')) {
      return 'a downgrade that is refused when zero clusters have become data'
    }
    const isResized = failsForCounts({ action, outcome }) && action.kind === 'apply' && theirs.said !== ''
    return isResized && theirs.differences.length > 0 ? 'a snapshot that fails, and leaves the disk resized' : undefined
  }
  const takesCounts = action.kind === 'apply' || action.kind === 'snapshot'
  if (takesCounts && before.hasMoreCounts && theirs.said.includes('Invalid argument')) {
    return 'a snapshot for which the reference has no counts left'
  }
  // A data cluster lies where no refcount block counts yet.
  if (action.kind === 'snapshot' && theirs.said.includes('-11 (Resource temporarily unavailable)')) {
    return 'a snapshot that the reference cannot make (EAGAIN)'
  }
  if (action.kind !== 'truncate' || action.preallocation === 'off' || theirs.differences.length === 0) return undefined
  if (theirs.errors.includes('qemu-io: Failed to zero out new clusters: Operation not supported')) {
    return 'a preallocation that the reference refuses (version 2 over a longer backing file)'
  }
  // It found room between clusters that are in use.
  if (theirs.errors.some((line) => line.endsWith('Cannot use preallocation for shrinking files'))) {
    return 'a preallocation that the reference cannot make where the file has a hole'
  }
  // Only where there are subclusters.
  if (before.extendedL2 && theirs.differences.every((line) => endOf(line) === before.length)) {
    return 'a preallocation that loses the compressed cluster at the end of the disk'
  }
  const hasOldContent = theirs.differences.every((line) => endOf(line) > before.length)
  return hasOldContent ? 'a preallocation that shows what its clusters held before' : undefined
}

/**
 * Whether the reference then counts more than ours: it does not lower again what it raised before a snapshot failed, and a
 * discard makes L2 tables that say nothing.
 */
export function leavesMoreCounts({ action, outcome }: Ours): boolean {
  return action.kind === 'discard' || failsForCounts({ action, outcome })
}

function failsForCounts({ action, outcome }: Ours): boolean {
  return (action.kind === 'apply' || action.kind === 'snapshot') && outcome.error?.code === 'EINVAL'
}

/** Where the bytes end that a line calls different; 0 for a line that says something else. */
function endOf(line: string): number {
  const range = /^Pattern verification failed at offset (\d+), (\d+) bytes$/.exec(line)
  return range === null ? 0 : Number(range[1]) + Number(range[2])
}

/** Whether the reference finds the same damage in its own image: then it made that, and our check is right. */
export function theirOwnDamage(
  image: string,
  found: { readonly corruptions: number; readonly leaks: number },
): boolean {
  const words = ['check', '--output=json', '-f', 'qcow2', basename(image)]
  const run = spawnSync('qemu-img', words, { encoding: 'utf8', cwd: dirname(image) })
  const { corruptions = 0, leaks = 0 } = JSON.parse(run.stdout) as { corruptions?: number; leaks?: number }
  return corruptions === found.corruptions && leaks === found.leaks
}
