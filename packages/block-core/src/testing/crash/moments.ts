/** The moments of a journal at which losing power leaves something that no other moment does. */

import { MemoryStore } from '../memory-driver.ts'
import { applyChange, changeEnd, type DiskChange, isChange, type Journal, type JournalEntry } from './journal.ts'

/** A moment: what is durable, and what may be. */
export interface CrashMoment {
  /** Counts from 0. */
  readonly number: number
  /** How many entries of the journal had happened. */
  readonly position: number
  /** Durable content of each disk. */
  readonly durable: readonly Uint8Array[]
  /** Changes that no flush has covered, in their order. */
  readonly doubtful: readonly DiskChange[]
}

/**
 * Moments just before each flush that has something to make durable, and at the end: what a cut at any other moment leaves
 * is among the states of the next one of these. A flush of one disk leaves the changes of the others in doubt.
 */
export function* crashMoments(journal: Journal): Generator<CrashMoment> {
  const durable = journal.disks.map(({ start }) => new MemoryStore(start))
  let doubtful: DiskChange[] = []
  let news = false
  let number = 0
  const moment = (position: number): CrashMoment => ({
    number: number++,
    position,
    durable: durable.map((store) => store.bytes()),
    doubtful: [...doubtful],
  })
  for (const [index, entry] of journal.entries.entries()) {
    if (isChange(entry)) doubtful.push(entry)
    news ||= isChange(entry) || entry.kind === 'guest'
    const settled = settledBy(entry, doubtful)
    if (settled === undefined) continue
    if (news && doubtful.length > 0) yield moment(index)
    for (const change of settled) applyChange(durable[change.disk]!, change)
    doubtful = doubtful.filter((change) => !settled.includes(change))
    news &&= doubtful.length > 0
  }
  yield moment(journal.entries.length)
}

/** Changes that are durable once `entry` has happened; `undefined` where none can be. */
function settledBy(entry: JournalEntry, doubtful: readonly DiskChange[]): readonly DiskChange[] | undefined {
  if (entry.kind === 'flush') return doubtful.filter(({ disk }) => disk === entry.disk)
  if (entry.kind !== 'write' || entry.durable !== true) return undefined
  // What it has overwritten cannot come back; whatever else is unflushed stays in doubt.
  const covered = (change: DiskChange): boolean =>
    change.kind !== 'resize' && change.offset >= entry.offset && changeEnd(change) <= changeEnd(entry)
  return doubtful.filter((change) => change === entry || (change.disk === entry.disk && covered(change)))
}
