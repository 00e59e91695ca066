/** Proves that a new raw image is a file of the right length, and that preallocation is the file's affair. */

import type { Child, CreateContext } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { createRaw, measureRaw, type RawCreateOptions, rawCreateOptions } from '../src/create.ts'

async function create(size: bigint, options: RawCreateOptions): Promise<unknown[]> {
  const calls: unknown[] = []
  const file = {
    truncate: async (length: number, how: unknown) => void calls.push([length, how]),
  } as Partial<Child> as Child
  const context: CreateContext = {
    filename: 'x',
    size,
    backing: undefined,
    file: async () => file,
    signal: undefined,
    warn: () => {},
  }
  await createRaw(context, options)
  return calls
}

test('the file gets its length', async () => {
  expect(await create(1048576n, {})).toEqual([[1048576, { preallocation: 'off' }]])
  expect(await create(0n, { preallocation: 'falloc' })).toEqual([[0, { preallocation: 'falloc' }]])
})

test('a length past what offsets can count is refused', async () => {
  await expect(create(2n ** 60n, {})).rejects.toMatchObject({
    code: 'EFBIG',
    message: 'Could not resize file: File too large',
  })
})

test('users see the reference names', () => {
  expect(Object.values(rawCreateOptions).map((row) => row.name)).toEqual(['size', 'preallocation'])
})

test('a raw image is as large as its disk, in whole sectors', async () => {
  const source = { size: 1025n, dataRanges: async function* () {} }
  expect(await measureRaw({}, source)).toEqual({ required: 1536n, fullyAllocated: 1536n })
})
