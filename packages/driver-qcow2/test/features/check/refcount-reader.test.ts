/** Counts are read block by block: a promise only where the block changes. */

import { expect, test } from 'vitest'
import { RefcountReader } from '../../../src/features/check/refcount-reader.ts'
import { filledImage } from '../../helpers/damage.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { openOn } from '../../helpers/open-on.ts'

test('one look at a block serves all its clusters', async () => {
  const image = (await filledImage()).count(7, 3)
  const { image: open } = await openOn(new MemoryChild(image.bytes), { check: true, readOnly: true })
  const reader = new RefcountReader(open.refblocks)
  await reader.prepare(5)
  expect(reader.prepare(7)).toBeUndefined()
  expect([5, 7, 400].map((cluster) => reader.get(cluster))).toEqual([1, 3, 0])
  await reader.prepare(512)
  expect(reader.get(512)).toBe(0)
  await reader.prepare(7)
  reader.forget()
  expect(reader.prepare(7)).toBeInstanceOf(Promise)
})
