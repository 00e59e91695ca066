/** Proves what counts as a difference between two copies, and in which words it is told. */

import { BlockError } from '@blocklayer/block-core/driver'
import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { contentMismatch, outcomeMismatch, outcomeOf } from '../src/compare.ts'

const request = { type: 'read', offset: 67584, bytes: 4096 } as const
const eio = BlockError.fromErrno('EIO')
const enospc = BlockError.fromErrno('ENOSPC')

test('equal ends are no difference', () => {
  expect(outcomeMismatch(request, undefined, undefined)).toBeUndefined()
  expect(outcomeMismatch(request, eio, BlockError.withErrno('EIO', 'in other words'))).toBeUndefined()
})

test.each([
  [eio, undefined, '-5 != 0'],
  [undefined, eio, '0 != -5'],
  [eio, enospc, '-5 != -28'],
])('%s and %s differ', (image, raw, values) => {
  expect(outcomeMismatch(request, image, raw)).toBe(
    `blkverify: read offset=67584 bytes=4096 return value mismatch ${values}`,
  )
})

test('the first byte that differs is named', () => {
  const [image, raw] = [filled(1, 4096), filled(1, 4096)]
  expect(contentMismatch(request, [image], raw)).toBeUndefined()
  raw[2416] = 2
  raw[3000] = 2
  const told = 'blkverify: read offset=67584 bytes=4096 contents mismatch at offset 70000'
  expect(contentMismatch(request, [image], raw)).toBe(told)
  expect(contentMismatch(request, [image.subarray(0, 2000), image.subarray(2000)], raw)).toBe(told)
})

test('an outcome is an error of the world; a bug stays one', async () => {
  expect(await outcomeOf(Promise.resolve())).toBeUndefined()
  expect(await outcomeOf(Promise.reject(eio))).toBe(eio)
  await expect(outcomeOf(Promise.reject(new RangeError('bug')))).rejects.toThrow(RangeError)
})
