/** A journal out of a log of writes on disk, as `blklogwrites` or the device-mapper's log-writes target keep it. */

import type { Journal, JournalEntry } from './journal.ts'

/** An entry of a log: what `readLog` of `@blocklayer/driver-blklogwrites` gives. */
export interface LoggedEntry {
  readonly kind: 'write' | 'discard' | 'flush' | 'mark'
  readonly offset: number
  readonly bytes: number
  /** All before it was durable when it began. */
  readonly flush: boolean
  /** It was durable itself when it ended. */
  readonly fua: boolean
  /** What a mark says. */
  readonly text: string
  data(): Promise<Uint8Array>
}

/**
 * The journal of a disk that held `start` when its log began. Marks become notes.
 *
 * @throws what reading the log meets
 */
export async function journalOfLog(
  start: Uint8Array,
  entries: AsyncIterable<LoggedEntry> | Iterable<LoggedEntry>,
): Promise<Journal> {
  const journal: JournalEntry[] = []
  for await (const entry of entries) {
    const { kind, offset, bytes } = entry
    if (entry.flush) journal.push({ kind: 'flush', disk: 0 })
    if (kind === 'write') journal.push({ kind, disk: 0, offset, data: await entry.data(), durable: entry.fua })
    else if (kind === 'discard') journal.push({ kind, disk: 0, offset, bytes })
    else if (kind === 'mark') journal.push({ kind: 'note', text: entry.text })
  }
  return { disks: [{ name: 'disk', start: start.slice() }], entries: journal }
}
