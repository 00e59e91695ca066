/** What was done to one or several disks, in order: the material from which crash states are made. */

import type { MemoryStore } from '../memory-driver.ts'

/** One change of one disk. */
export type DiskChange =
  | {
      readonly kind: 'write'
      readonly disk: number
      readonly offset: number
      readonly data: Uint8Array
      /** It was durable itself when it ended, as a write with FUA is. */
      readonly durable?: boolean
    }
  | { readonly kind: 'zero' | 'discard'; readonly disk: number; readonly offset: number; readonly bytes: number }
  | { readonly kind: 'resize'; readonly disk: number; readonly length: number }

/** Something that the guest, or another user of the image, asked for. */
export interface GuestChange {
  /** New content from `offset` on, if content changes. */
  readonly offset: number
  data: Uint8Array
  /** Facts that hold afterwards: see `GuestModel`. */
  facts: Readonly<Record<string, string>>
}

/** A moment in the life of the guest's requests. A flush covers the changes that had ended when it began. */
export type GuestEvent =
  | { readonly kind: 'guest'; readonly event: 'begin'; readonly change: GuestChange }
  | { readonly kind: 'guest'; readonly event: 'end'; readonly change: GuestChange }
  | { readonly kind: 'guest'; readonly event: 'flush begin'; readonly flush: number }
  | { readonly kind: 'guest'; readonly event: 'flush end'; readonly flush: number }
  | { readonly kind: 'guest'; readonly event: 'closed' }

/** One line of a journal. */
export type JournalEntry =
  | DiskChange
  | { readonly kind: 'flush'; readonly disk: number }
  | { readonly kind: 'note'; readonly text: string }
  | GuestEvent

/** One disk of a journal. */
export interface JournalDisk {
  readonly name: string
  /** Durable content in the beginning. */
  readonly start: Uint8Array
}

/** Everything that happened, as plain values: a test may drop an entry, or swap two, and look at what that would leave. */
export interface Journal {
  readonly disks: readonly JournalDisk[]
  readonly entries: readonly JournalEntry[]
}

/** Whether the entry changes a disk. */
export function isChange(entry: JournalEntry): entry is DiskChange {
  return entry.kind === 'write' || entry.kind === 'zero' || entry.kind === 'discard' || entry.kind === 'resize'
}

/** First byte after a change, or the new length. */
export function changeEnd(change: DiskChange): number {
  if (change.kind === 'resize') return change.length
  return change.offset + (change.kind === 'write' ? change.data.length : change.bytes)
}

/** Does to `store` what the change says. A discarded range reads as zeroes, and does not make the store longer. */
export function applyChange(store: MemoryStore, change: DiskChange): void {
  if (change.kind === 'write') store.write(change.offset, change.data)
  else if (change.kind === 'zero') store.zero(change.offset, change.bytes)
  else if (change.kind === 'resize') store.resize(change.length)
  else {
    const bytes = Math.min(change.bytes, store.length - change.offset)
    if (bytes > 0) store.zero(change.offset, bytes)
  }
}

/** One entry in words: `write 512 @ 1024`. */
export function entryText(entry: JournalEntry): string {
  if (entry.kind === 'write') {
    return `write ${entry.data.length} @ ${entry.offset}${entry.durable === true ? ', durable' : ''}`
  }
  if (entry.kind === 'zero' || entry.kind === 'discard') return `${entry.kind} ${entry.bytes} @ ${entry.offset}`
  if (entry.kind === 'resize') return `truncate to ${entry.length}`
  if (entry.kind === 'note') return entry.text
  return entry.kind === 'guest' ? `guest: ${entry.event}` : 'flush'
}
