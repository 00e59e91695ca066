/** Proves how `blkverify:RAW:TEST` is taken apart. */

import { expect, test } from 'vitest'
import { parseBlkverifyName } from '../src/options.ts'

test.each([
  ['blkverify:r:q', 'r', 'q'],
  ['blkverify:./r:file:q', './r', 'file:q'],
  ['blkverify::', '', ''],
  ['blkverify:a\nb:c\nd', 'a\nb', 'c\nd'],
])('%j', (filename, raw, image) => {
  expect(Object.fromEntries(parseBlkverifyName(filename))).toEqual({ 'x-raw': raw, 'x-image': image })
})

test('a name without the prefix is the image', () => {
  expect(Object.fromEntries(parseBlkverifyName('q'))).toEqual({ 'x-image': 'q' })
})

test.each(['blkverify:', 'blkverify:r'])('%s is not enough', (filename) => {
  expect(() => parseBlkverifyName(filename)).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: 'blkverify requires raw copy and original image path' }),
  )
})
