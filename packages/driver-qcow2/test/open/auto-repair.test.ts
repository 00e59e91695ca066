/** Proves that an image that was not closed properly is mended before it is written to, and told so. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

/** An image with lazy refcounts that lost its process after a flush. */
async function crashed(): Promise<MemoryChild> {
  const file = new MemoryChild(await newImage(1024 * 1024, { lazyRefcounts: true }))
  const { image } = await openOn(file)
  await image.writer.write(0, filled(7, 65536))
  await image.caches.flush()
  return new MemoryChild(file.content)
}

test('refcounts are rebuilt before anything is allocated', async () => {
  const file = await crashed()
  const { image, lines } = await openOn(file)
  expect(lines).toContain('Rebuilding refcount structure')
  expect([image.header.isDirty, await image.refcounts.get(5)]).toEqual([false, 1])
  const into = new Uint8Array(65536)
  await image.reader.read(0, into)
  expect(into[0]).toBe(7)
})

test('nothing happens read-only, nor for a check', async () => {
  const file = await crashed()
  expect((await openOn(file, { readOnly: true })).lines).toEqual([])
  expect((await openOn(file, { check: true })).lines).toEqual([])
  expect(file.log.filter(({ kind }) => kind === 'write')).toEqual([])
})

test('a repair that fails stops the open', async () => {
  const file = await crashed()
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => openOn(file))).toBe('EIO Could not repair dirty image: Input/output error')
})
