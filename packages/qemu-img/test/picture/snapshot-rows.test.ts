/** Proves that snapshots are listed as text, the first of them, whatever their names are. */

import { expect, test } from 'vitest'
import { snapshotRows } from '../../src/picture/snapshot-rows.ts'

const snapshot = {
  id: '1',
  name: '<img src=x onerror=alert(1)>',
  vmStateBytes: 1024,
  dateSeconds: 4294967295,
  dateNanoseconds: 0,
  vmClockNanoseconds: 0,
  icount: undefined,
}

test('a name is text, a date is in a zone', () => {
  const rows = snapshotRows([snapshot])
  expect(rows).toContain('<bdi>&lt;img src=x onerror=alert(1)&gt;</bdi>')
  expect(rows).toContain('<td class="r">2106-02-07 06:28:15 UTC</td>')
})

test('many are cut', () => expect(snapshotRows(Array(500).fill(snapshot))).toContain('… and 300 more'))
