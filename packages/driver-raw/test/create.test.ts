/** Proves that making a raw image is the file's affair. */

import type { CreateContext } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { createRaw, measureRaw, rawCreateOptions } from '../src/create.ts'

test("the file's driver makes the image, with the size and all options it knows", async () => {
  let made = 0
  await createRaw({ makeFile: async () => void made++ } as Partial<CreateContext> as CreateContext)
  expect(made).toBe(1)
})

test('users see the reference names', () => {
  expect(Object.values(rawCreateOptions).map((row) => row.name)).toEqual(['size', 'preallocation'])
})

test('a raw image is as large as its disk, in whole sectors', async () => {
  const source = { size: 1025n, dataRanges: async function* () {} }
  expect(await measureRaw({}, source)).toEqual({ required: 1536n, fullyAllocated: 1536n })
})
