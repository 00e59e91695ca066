// Proves the layout of the snapshot table, its clock, its local dates, and its padding by bytes.

import { expect, test } from 'vitest'
import { humanSnapshots } from '../../src/print/snapshot-list.ts'

const snapshot = {
  id: '1',
  name: 'näme',
  vmStateBytes: 0,
  dateSeconds: Date.parse('2026-11-23T02:16:47') / 1000,
  dateNanoseconds: 5,
  vmClockNanoseconds: (3600 * 30 + 61) * 1e9 + 7_000_000,
  icount: 0n,
}

test('the table', () => {
  const long = {
    ...snapshot,
    id: '12345678901',
    name: 'a name of twenty one b',
    vmStateBytes: 2 ** 30,
    icount: undefined,
  }
  expect(humanSnapshots([snapshot, long])).toBe(
    'Snapshot list:\n' +
      'ID        TAG               VM SIZE                DATE     VM CLOCK     ICOUNT\n' +
      '1         näme                 0 B 2026-11-23 02:16:47 30:01:01.007          0\n' +
      '12345678901 a name of twenty one b    1 GiB 2026-11-23 02:16:47 30:01:01.007           \n',
  )
})
