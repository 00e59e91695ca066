/** What no repair brings back, neither ours nor the reference's: after `-r all` an image is clean in both, or for such a reason. */

import type { Verdicts } from './verdict.ts'

/** A kind of damage that stays. */
export interface Lasting {
  readonly reason: string
  /** A line of the repair, or of the check after it, that shows this kind. */
  readonly shown: RegExp
}

/** Kinds of damage that stay; the first that is shown is the reason. */
export const lasting: readonly Lasting[] = [
  { reason: 'what cannot be opened is not repaired', shown: /Could not open/ },
  { reason: 'nobody knows what reserved bits mean', shown: /reserved bits set/ },
  { reason: 'what the file does not have cannot be brought back', shown: /region exceeding the end of the file/ },
  {
    reason: 'where an entry meant to point, nobody knows',
    shown: /Data cluster is not properly aligned|Table is not cluster aligned|refcount table entry corrupted/,
  },
  { reason: 'a compressed cluster with COPIED may be either', shown: /copied flag must never be set/ },
  { reason: 'a count does not go into its bits', shown: /overflow cluster offset/ },
  {
    reason: 'a snapshot table that is none would be lost',
    shown:
      /snapshot table (offset invalid|too large)|failed to read the snapshot table|L1 table is (not cluster aligned|too large); snapshot/,
  },
  {
    reason: 'a repair ends where it would write over other tables',
    shown: /metadata overlap check failed|Marking image as corrupt/,
  },
  { reason: 'a file that lacks its tables is filled up with zeroes', shown: /snapshot table entry \d+ is incomplete/ },
  {
    reason: 'one repair gives up what a snapshot had, and only the next one sets the flags of what it left',
    shown: /Discarding|Repairing snapshot table entry|OFLAG_COPIED data cluster: l2_entry=\w+ refcount=1$/,
  },
]

/** Why the image is not clean after its repair by ours; `undefined` where there is no reason for it. */
export function lastingDamage({ repair, again }: Pick<Verdicts['ours'], 'repair' | 'again'>): string | undefined {
  const lines = [...repair.lines, ...again.lines]
  return lasting.find(({ shown }) => lines.some((line) => shown.test(line)))?.reason
}
