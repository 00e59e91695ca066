/** Granularities, names and states, with the reference's messages. */

import { expect, test } from 'vitest'
import {
  checkGranularity,
  checkUsable,
  defaultGranularity,
  isNameTooLong,
} from '../../src/dirty-bitmap/bitmap-rules.ts'

test.each([0, -512, 3, 256, 511, 513, 1536, 2 ** 32, Number.NaN, 512.5])('granularity %d is refused', (granularity) => {
  expect(() => checkGranularity(granularity)).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: 'Granularity must be power of 2 and at least 512' }),
  )
})

test('every power of two from 512 to 2 GiB will do', () => {
  for (let granularity = 512; granularity <= 2 ** 31; granularity *= 2) checkGranularity(granularity)
})

test('the default is the cluster size, within bounds', () => {
  const sizes = [undefined, 0, 512, 4096, 32768, 65536, 2 ** 21]
  expect(sizes.map(defaultGranularity)).toEqual([65536, 65536, 4096, 4096, 32768, 65536, 65536])
})

test('names are measured in bytes', () => {
  expect(['x'.repeat(1023), 'x'.repeat(1024), 'é'.repeat(511), 'é'.repeat(512)].map(isNameTooLong)).toEqual([
    false,
    true,
    false,
    true,
  ])
})

const free = { name: 'b', busy: false, readOnly: false, inconsistent: false }

test.each([
  ['EBUSY', { busy: true }, "Bitmap 'b' is currently in use by another operation and cannot be used"],
  ['EPERM', { readOnly: true }, "Bitmap 'b' is readonly and cannot be modified"],
  ['EINVAL', { inconsistent: true }, "Bitmap 'b' is inconsistent and cannot be used"],
  ['EBUSY', { busy: true, readOnly: true, inconsistent: true }, 'in use by another operation'],
  ['EPERM', { readOnly: true, inconsistent: true }, 'is readonly'],
] as const)('%s %o', (code, state, message) => {
  expect(() => checkUsable({ ...free, ...state })).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test('what an operation puts up with', () => {
  checkUsable(free)
  checkUsable({ ...free, readOnly: true }, { readOnly: true })
  checkUsable({ ...free, inconsistent: true }, { inconsistent: true })
  const busy = { ...free, busy: true, name: undefined }
  expect(() => checkUsable(busy, { readOnly: true, inconsistent: true })).toThrow("Bitmap '' is currently in use")
  expect(() => checkUsable({ ...free, inconsistent: true })).toThrow(
    expect.objectContaining({ hint: 'Try block-dirty-bitmap-remove to delete this bitmap from disk' }),
  )
})
