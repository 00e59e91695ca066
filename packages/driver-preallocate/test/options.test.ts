/** Proves which numbers are taken, and what they make of a request. */

import { expect, test } from 'vitest'
import { checkAhead, rangeAhead } from '../src/options.ts'

const MiB = 0x10_0000

test('defaults', () => {
  expect(checkAhead({})).toEqual({ align: MiB, size: 128 * MiB })
})

test.each([1, 511, 1000, 513n])('an alignment of %s is refused', (preallocAlign) => {
  expect(() => checkAhead({ preallocAlign })).toThrow(
    expect.objectContaining({
      code: 'EINVAL',
      message: 'prealloc-align parameter of preallocate filter is not aligned to 512',
    }),
  )
})

// The reference's fallocate calls for these ends and numbers, as strace shows them.
test.each([
  [{}, 197_120, 327_680, { offset: 197_120, bytes: 135_069_184 }],
  [{ preallocSize: MiB, preallocAlign: 65536 }, 197_120, 327_680, { offset: 197_120, bytes: 1_179_136 }],
  [{ preallocSize: MiB, preallocAlign: 65536 }, 1_376_256, 2_555_904, { offset: 1_376_256, bytes: 2_228_224 }],
  [{ preallocSize: 0, preallocAlign: 65536 }, 197_120, 327_680, { offset: 197_120, bytes: 130_560 }],
  [{ preallocSize: 0, preallocAlign: 0 }, 327_680, 393_216, { offset: 327_680, bytes: 65_536 }],
  [{ preallocSize: 1000, preallocAlign: 1536 }, 328_704, 393_216, { offset: 328_704, bytes: 66_048 }],
])('%o from %i for %i', (options, from, end, range) => {
  expect(rangeAhead(checkAhead(options), from, end)).toEqual(range)
})

test('it begins with a sector', () => {
  expect(rangeAhead({ align: 4096, size: 0 }, 1, 5000)).toEqual({ offset: 512, bytes: 7680 })
})

test('what is past all files is nothing', () => {
  for (const preallocSize of [2n ** 64n - 1n, 2 ** 53 - 1]) {
    expect(rangeAhead(checkAhead({ preallocSize }), 0, 4096)).toBeUndefined()
  }
  expect(rangeAhead(checkAhead({ preallocAlign: 2n ** 63n }), 0, 4096)).toBeUndefined()
})
