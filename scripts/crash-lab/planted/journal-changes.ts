/** What a bad file layer does: journals of disks that lose a flush, or write in another order than they were told. */
import type { Journal, JournalEntry, Recording } from '@blocklayer/block-core/testing'

/** The disk called `name` takes no flush at all, though it says that it did. */
export function ignoringFlushes(name: string): (recording: Recording) => Recording {
  return changed(({ disks, entries }) => {
    const disk = disks.findIndex((one) => one.name === name)
    return entries.filter((entry) => !(entry.kind === 'flush' && entry.disk === disk))
  })
}

/** Flush number `index` of the first disk, from 0, does nothing. */
export function droppingFlush(index: number): (recording: Recording) => Recording {
  return changed(({ entries }) => {
    const flushes = entries.filter((entry) => entry.kind === 'flush' && entry.disk === 0)
    return entries.filter((entry) => entry !== flushes[index])
  })
}

/** Writes number `index` and the next one of the first disk change places; the flushes stay where they are. */
export function swappingWrites(index: number): (recording: Recording) => Recording {
  return changed(({ entries }) => {
    const writes = entries.filter((entry) => entry.kind === 'write' && entry.disk === 0)
    const [first, second] = [writes[index], writes[index + 1]]
    return entries.map((entry) => (entry === first ? second! : entry === second ? first! : entry))
  })
}

function changed(change: (journal: Journal) => JournalEntry[]): (recording: Recording) => Recording {
  return (recording) => ({ ...recording, journal: { ...recording.journal, entries: change(recording.journal) } })
}
