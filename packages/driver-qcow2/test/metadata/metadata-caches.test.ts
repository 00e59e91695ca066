/** Proves which caches are written when: refcounts stay behind while the image is marked dirty. */

import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

async function written(lazyRefcounts: boolean) {
  const file = new MemoryChild(await newImage(1024 * 1024, { lazyRefcounts }))
  const { image } = await openOn(file)
  await image.writer.write(0, new Uint8Array(65536).fill(1))
  file.log.length = 0
  const events = (): (string | undefined)[] => file.log.flatMap(({ event }) => event ?? [])
  return { file, image, events }
}

test('refcounts are stored before the L2 entries that need them', async () => {
  const { image, events } = await written(false)
  await image.caches.store()
  expect(events()).toEqual(['refblock_update_part', 'l2_update'])
})

test('a dirty image keeps its refcounts back until it is marked clean', async () => {
  const { image, events, file } = await written(true)
  expect(image.header.isDirty).toBe(true)
  await image.caches.flush()
  expect(events()).toEqual(['l2_update'])
  await image.caches.markClean()
  expect(events()).toEqual(['l2_update', 'refblock_update_part'])
  expect([image.header.isDirty, file.log.at(-1)]).toEqual([false, { kind: 'write', offset: 0, bytes: 65536 }])
})

test('the corrupt mark goes after all else is durable', async () => {
  const { image, events, file } = await written(false)
  await image.header.markCorrupt()
  file.log.length = 0
  await image.caches.markConsistent()
  expect(events()).toEqual(['refblock_update_part', 'l2_update'])
  expect(file.log.at(-2)?.kind).toBe('flush')
  expect(image.header.isCorrupt).toBe(false)
})

test('unused entries of both go', async () => {
  const { image } = await written(false)
  await image.caches.flush()
  image.caches.dropUnused()
  image.caches.dropUnused()
  const { l2Tables, refblocks } = image.caches
  expect([l2Tables.peek(image.l1.offsetOf(0)), refblocks.peek(131072)]).toEqual([-1, -1])
})
