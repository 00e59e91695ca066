// Which names an image may have for its backing format: ours, and all of the reference's.
import { expect, test } from 'vitest'
import { isFormatName } from '../../src/options/format-names.ts'

test('drivers at hand, and those that only the reference has', () => {
  const known = (name: string) => isFormatName([{ formatName: 'zoned' }], name)
  expect(['zoned', 'qcow2', 'raw', 'vmdk', 'vvfat', 'blkdebug'].map(known)).toEqual(Array(6).fill(true))
  expect(['nofmt', '', 'QCOW2', 'qcow2 ', 'io_uring'].map(known)).toEqual(Array(5).fill(false))
})
