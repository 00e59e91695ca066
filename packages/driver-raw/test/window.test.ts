/** Proves which windows fit a file, in which words the others are refused, and how long a disk is in its window. */

import { expect, test } from 'vitest'
import { checkWindow, windowLength } from '../src/window.ts'

const MiB = 0x10_0000

test.each([
  [{}, { offset: 0, size: undefined }],
  [{ offset: 0 }, { offset: 0, size: undefined }],
  [{ offset: 1 }, { offset: 1, size: undefined }],
  [{ offset: MiB }, { offset: MiB, size: undefined }],
  [
    { offset: 1, size: 512 },
    { offset: 1, size: 512 },
  ],
  [
    { offset: MiB / 2, size: MiB / 2 },
    { offset: MiB / 2, size: MiB / 2 },
  ],
  [{ size: 0 }, { offset: 0, size: 0 }],
])('%o fits', (options, window) => {
  expect(checkWindow(options, MiB)).toEqual(window)
})

test.each([
  [{ offset: 2 * MiB }, 'Offset (2097152) cannot be greater than size of the containing file (1048576)'],
  [{ offset: 2 * MiB, size: 5 }, 'Offset (2097152) cannot be greater than size of the containing file (1048576)'],
  [
    { offset: 2n ** 64n - 1n },
    'Offset (18446744073709551615) cannot be greater than size of the containing file (1048576)',
  ],
  [
    { offset: MiB / 2, size: MiB },
    'The sum of offset (524288) and size (1048576) has to be smaller or equal to the  actual size of the containing file (1048576)',
  ],
  [
    { size: 18446744073709551104n },
    'The sum of offset (0) and size (18446744073709551104) has to be smaller or equal to the  actual size of the containing file (1048576)',
  ],
  [{ size: 5 }, 'Specified size is not multiple of 512'],
  [{ offset: MiB / 2, size: 5 }, 'Specified size is not multiple of 512'],
])('%o does not', (options, message) => {
  expect(() => checkWindow(options, MiB)).toThrow(expect.objectContaining({ code: 'EINVAL', message }))
})

test('the disk is what the file still has of the window', () => {
  expect(windowLength({ offset: 100, size: undefined }, 1000)).toBe(900)
  expect(windowLength({ offset: 100, size: 512 }, 1000)).toBe(512)
  expect(windowLength({ offset: 100, size: 512 }, 300)).toBe(200)
  expect(windowLength({ offset: 100, size: 512 }, 50)).toBe(0)
})
