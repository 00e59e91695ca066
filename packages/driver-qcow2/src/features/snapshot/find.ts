/** Which snapshot a user means. */

import type { SnapshotWanted } from '@blocklayer/block-core/driver'
import { decodeText } from '../../format/bytes.ts'
import type { SnapshotEntry } from '../../format/snapshot-entry.ts'

/**
 * Index of the snapshot in its table; -1 where there is none. A text is a number first, then a name; of several with
 * one name it is the first.
 *
 * @see QEMU 7.2 block/qcow2-snapshot.c: find_snapshot_by_id_and_name, find_snapshot_by_id_or_name
 */
export function findSnapshot(entries: readonly SnapshotEntry[], wanted: SnapshotWanted): number {
  const withId = (id: string): number => entries.findIndex((entry) => decodeText(entry.id) === id)
  const withName = (name: string): number => entries.findIndex((entry) => decodeText(entry.name) === name)
  if (typeof wanted === 'string') {
    const byId = withId(wanted)
    return byId >= 0 ? byId : withName(wanted)
  }
  const { id, name } = wanted
  if (id === undefined) return name === undefined ? -1 : withName(name)
  const index = withId(id)
  const entry = entries[index]
  return entry === undefined || (name !== undefined && decodeText(entry.name) !== name) ? -1 : index
}

/** The number of the next snapshot: one more than the largest there is. */
export function nextSnapshotId(entries: readonly SnapshotEntry[]): string {
  let largest = 0
  for (const { id } of entries) {
    const digits = /^\d+/.exec(decodeText(id))
    if (digits !== null) largest = Math.max(largest, Number(digits[0]))
  }
  return String(largest + 1)
}
