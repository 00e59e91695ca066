/** The lab: shows an operation every power cut, and judges what is left. */

import type { CrashMoment } from './moments.ts'
import { crashState, crashStates, type DiskState } from './crash-states.ts'
import { GuestModel } from './guest-model.ts'
import type { DiskStateOptions } from './state-names.ts'
import type { CrashOperation, OpenSubject, Recording } from './subject.ts'
import { type Inspection, inspectState, stateProblems } from './verdict.ts'

/** What a state was found to be. */
export interface CrashVerdict {
  /** Brings the state back: `judgeStateNamed`. */
  readonly id: string
  readonly position: number
  /** What is wrong, in words; empty where nothing is. */
  readonly problems: readonly string[]
  /** What was seen; absent where the image could not even be opened. */
  readonly inspection: Inspection | undefined
}

/** What an exploration came to. */
export interface Exploration {
  /** States looked at, all different. */
  readonly states: number
  readonly violations: readonly CrashVerdict[]
}

/** How to explore. */
export interface ExploreOptions extends Omit<DiskStateOptions, 'model'> {
  /** Told of every state as it is judged. */
  readonly onVerdict?: (verdict: CrashVerdict) => void
  /** Ends the exploration after so many violations; default 100. */
  readonly violationsMax?: number
}

/**
 * Judges every crash state of the recording (see `crashStates`): the image opens, what a check finds are leaks at most
 * (once a dirty one was repaired), and the guest sees what its requests allow, before and after the repair.
 *
 * @param recording - of `recordOperation`, or one whose journal was changed
 */
export async function exploreCrashes<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  recording: Recording,
  options: ExploreOptions = {},
): Promise<Exploration> {
  const model = new GuestModel(recording.before, recording.journal.entries)
  const violations: CrashVerdict[] = []
  let states = 0
  const modelKey = ({ position }: CrashMoment): string => String(model.key(position))
  for (const state of crashStates(recording.journal, { ...options, model: modelKey })) {
    const verdict = await judgeState(operation, model, state)
    states++
    options.onVerdict?.(verdict)
    if (verdict.problems.length > 0) violations.push(verdict)
    if (violations.length >= (options.violationsMax ?? 100)) break
  }
  return { states, violations }
}

/** Judges one state again. @throws RangeError where the recording has no such state */
export function judgeStateNamed<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  recording: Recording,
  id: string,
  options: Pick<DiskStateOptions, 'seed'> = {},
): Promise<CrashVerdict> {
  const model = new GuestModel(recording.before, recording.journal.entries)
  return judgeState(operation, model, crashState(recording.journal, id, options))
}

/** The verdict on a state; what keeps it from being looked at is a problem like any other. */
export async function judgeState<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  model: GuestModel,
  { id, position, disks }: Pick<DiskState, 'id' | 'position' | 'disks'>,
): Promise<CrashVerdict> {
  try {
    const inspection = await inspectState(operation, disks)
    return { id, position, problems: stateProblems(inspection, model, position), inspection }
  } catch (error) {
    const problems = [`it cannot be looked at: ${error instanceof Error ? error.message : String(error)}`]
    return { id, position, problems, inspection: undefined }
  }
}
