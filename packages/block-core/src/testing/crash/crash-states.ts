/** Every state in which a power cut could leave the disks of a journal, each with a short name that brings it back. */

import { applyChange, type Journal } from './journal.ts'
import { type CrashMoment, crashMoments } from './moments.ts'
import { ScratchDisk } from './scratch-disk.ts'
import { StateKeys } from './state-key.ts'
import { buildState, type DiskStateOptions, namesAt, StatePlan } from './state-names.ts'

/** One state that a power cut could leave. */
export interface DiskState {
  /** Brings the state back: `3:x17`. See `stateNames` for its grammar. */
  readonly id: string
  /** The moment of the cut, from 0. */
  readonly moment: number
  /** How many entries of the journal had happened. */
  readonly position: number
  /** Same content, same key: for whoever does not want to look twice. */
  readonly key: string
  /**
   * The disks, which may be opened, repaired and written to. They are taken back when the next state is asked for: keep
   * `disk.bytes()`, not the disk.
   */
  readonly disks: readonly ScratchDisk[]
}

/**
 * All states: what was flushed, plus any subset of what was not, in any order where requests overlap, down to sectors of
 * 512 bytes torn inside a request. Where a moment has more than `exhaustive`, a sample: none, all, each request and each
 * sector alone, all but each, each prefix, and random ones.
 *
 * Requests that change nothing make no states of their own, and no state is shown twice.
 */
export function* crashStates(journal: Journal, options: DiskStateOptions = {}): Generator<DiskState> {
  const seen = new Set<string>()
  for (const moment of crashMoments(journal)) {
    if (moment.position < (options.from ?? 0)) continue
    const plan = new StatePlan(moment, options.seed ?? 1)
    const model = options.model?.(moment) ?? String(moment.number)
    const { disks, keys } = scratch(moment)
    for (const name of namesAt(plan, options)) {
      const state = stateOf(plan, name, disks, keys)
      const known = `${model}|${state.key}`
      if (seen.has(known)) continue
      seen.add(known)
      yield state
    }
  }
}

/**
 * The state of that name.
 *
 * @param id - what `DiskState.id` said of the same journal and seed
 * @throws RangeError for a name that is none, or that this journal does not have
 */
export function crashState(journal: Journal, id: string, options: Pick<DiskStateOptions, 'seed'> = {}): DiskState {
  const [number, name] = id.split(':')
  for (const moment of crashMoments(journal)) {
    if (String(moment.number) !== number || name === undefined) continue
    const { disks, keys } = scratch(moment)
    return stateOf(new StatePlan(moment, options.seed ?? 1), name, disks, keys)
  }
  throw new RangeError(`there is no crash state '${id}'`)
}

function scratch(moment: CrashMoment): { readonly disks: ScratchDisk[]; readonly keys: StateKeys } {
  return { disks: moment.durable.map((content) => new ScratchDisk(content)), keys: new StateKeys() }
}

function stateOf(plan: StatePlan, name: string, disks: readonly ScratchDisk[], keys: StateKeys): DiskState {
  for (const disk of disks) disk.rewind()
  const { moment } = plan
  buildState(plan, name, disks)
  return {
    id: `${moment.number}:${name}`,
    moment: moment.number,
    position: moment.position,
    key: keys.of(disks),
    disks,
  }
}

/** The disks as they were when the entry at `position` came, had nothing been lost: what killing a process leaves. */
export function disksBefore(journal: Journal, position: number): ScratchDisk[] {
  const disks = journal.disks.map(({ start }) => new ScratchDisk(start))
  for (const entry of journal.entries.slice(0, position)) {
    if ('disk' in entry && entry.kind !== 'flush') applyChange(disks[entry.disk]!, entry)
  }
  return disks
}
