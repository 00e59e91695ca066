/** Internal snapshots put into an image by hand. */

import { encodeText } from '../../src/format/bytes.ts'
import { encodeSnapshotTable, type SnapshotEntry } from '../../src/format/snapshot-entry.ts'
import { Damaged } from './damage.ts'

/** A snapshot "s1" with number 1. */
export const plainSnapshot: SnapshotEntry = {
  l1TableOffset: 0,
  l1Size: 1,
  id: encodeText('1'),
  name: encodeText('s1'),
  dateSeconds: 0,
  dateNanoseconds: 0,
  vmClockNanoseconds: 0,
  vmStateSize: 0,
  diskSize: 64 * 1024,
  icountHigh: 0,
  icountLow: 0,
  unknownExtra: new Uint8Array(0),
  extraBytes: 24,
}

/**
 * `image` with a snapshot of its present state: a copy of the L1 table and a snapshot table, in two clusters at the
 * file's end that are counted; what the snapshot shares is not.
 */
export function addSnapshot(image: Damaged, change: Partial<SnapshotEntry>): Damaged {
  const { clusterSize } = image.geometry
  const end = Math.ceil(image.bytes.length / clusterSize) * clusterSize
  const bytes = new Uint8Array(end + 2 * clusterSize)
  bytes.set(image.bytes)
  bytes.set(image.bytes.subarray(image.l1(), image.l1() + 8), end)
  const entry = { ...plainSnapshot, l1TableOffset: end, ...change }
  bytes.set(encodeSnapshotTable([entry], 0), end + clusterSize)
  const copy = new Damaged(bytes)
  copy.view.setUint32(60, 1)
  copy.set(64, BigInt(end + clusterSize))
  return copy.count(end / clusterSize, 1).count(end / clusterSize + 1, 1)
}
