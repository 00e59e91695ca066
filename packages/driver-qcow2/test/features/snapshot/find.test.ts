/** Proves whom a user means by a number, a name, or either. */

import { expect, test } from 'vitest'
import { findSnapshot, nextSnapshotId } from '../../../src/features/snapshot/find.ts'
import { encodeText } from '../../../src/format/bytes.ts'
import { plainSnapshot } from '../../helpers/snapshots.ts'

const entry = (id: string, name: string) => ({ ...plainSnapshot, id: encodeText(id), name: encodeText(name) })
const entries = [entry('3', 'a'), entry('7', '3'), entry('8', 'a')]

test.each([
  ['3', 0],
  ['a', 0],
  ['8', 2],
  ['b', -1],
  [{ id: '8' }, 2],
  [{ name: '3' }, 1],
  [{ name: 'a' }, 0],
  [{ id: '8', name: 'a' }, 2],
  [{ id: '8', name: '3' }, -1],
  [{ id: '9' }, -1],
  [{}, -1],
] as const)('%o', (wanted, index) => {
  expect(findSnapshot(entries, wanted)).toBe(index)
})

test('the next number is one more than the largest', () => {
  expect([nextSnapshotId([]), nextSnapshotId(entries), nextSnapshotId([entry('x', 'a'), entry('12b', 'a')])]).toEqual([
    '1',
    '9',
    '13',
  ])
})
