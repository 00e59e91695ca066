/** Snapshot entries decode as the reference wrote them and are written again without loss. */

import { expect, test } from 'vitest'
import { encodeText, viewOf, writeU64 } from '../../src/format/bytes.ts'
import {
  decodeSnapshotEntry,
  decodeSnapshotFixed,
  encodeSnapshotTable,
  type SnapshotEntry,
  snapshotTableBytes,
} from '../../src/format/snapshot-entry.ts'

const entry: SnapshotEntry = {
  l1TableOffset: 0x60000,
  l1Size: 1,
  id: encodeText('1'),
  name: encodeText('s1'),
  dateSeconds: 1700000000,
  dateNanoseconds: 5,
  vmClockNanoseconds: 7,
  vmStateSize: 2 ** 33,
  diskSize: 0x100000,
  icountHigh: 0,
  icountLow: 0,
  unknownExtra: Uint8Array.of(9, 8, 7),
  extraBytes: 27,
}

test('entries survive a round trip and are aligned to 8', () => {
  const table = encodeSnapshotTable([entry, { ...entry, unknownExtra: new Uint8Array(0), extraBytes: 24 }], 0)
  // 40 + 24 + 3 + 1 + 2 = 70, the next begins at 72; the second is 67 bytes, the reference's 0x43.
  expect(table.length).toBe(72 + 0x43)
  const fixed = decodeSnapshotFixed(table)
  expect(fixed).toMatchObject({ idBytes: 1, nameBytes: 2, extraBytes: 27, vmStateSize32: 0 })
  const rest = { extra: table.subarray(40, 67), id: table.subarray(67, 68), name: table.subarray(68, 70) }
  expect(decodeSnapshotEntry(fixed, rest)).toEqual(entry)
  expect(decodeSnapshotFixed(table.subarray(72)).l1TableOffset).toBe(0x60000)
})

test('an entry without extra data takes what is missing from elsewhere', () => {
  const bytes = new Uint8Array(40)
  writeU64(viewOf(bytes), 0, 0x50000)
  viewOf(bytes).setUint32(32, 77)
  const empty = new Uint8Array(0)
  const old = decodeSnapshotEntry(decodeSnapshotFixed(bytes), { extra: empty, id: empty, name: empty })
  expect(old).toMatchObject({ vmStateSize: 77, diskSize: undefined, icountHigh: 0xffffffff, extraBytes: 0 })
  const written = encodeSnapshotTable([old], 0x200000)
  expect(written.length).toBe(64)
  expect(viewOf(written).getUint32(52)).toBe(0x200000)
})

test('an empty table has no bytes', () => {
  expect(snapshotTableBytes([])).toBe(0)
})

// A number would round it to a multiple of many clusters.
test('an offset past 2^53 keeps its lower half', () => {
  const table = encodeSnapshotTable([entry], 0)
  viewOf(table).setUint32(0, 0x51464900)
  viewOf(table).setUint32(4, 3)
  const fixed = decodeSnapshotFixed(table)
  expect(fixed.l1TableOffsetLow).toBe(3)
  const empty = new Uint8Array(0)
  const written = encodeSnapshotTable([decodeSnapshotEntry(fixed, { extra: empty, id: empty, name: empty })], 0)
  expect([viewOf(written).getUint32(0), viewOf(written).getUint32(4)]).toEqual([0x51464900, 3])
})
