/** Proves that the rooms of an image fit together: what one does the others see. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

test('a write is found by look-up, counted, protected and reported', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
  await image.writer.write(0, filled(1, 65536))
  expect(await image.lookup.find(0 as never, 1)).toMatchObject({ type: 'normal', hostOffset: 5 * 65536 })
  expect([await image.refcounts.get(4), await image.refcounts.get(5)]).toEqual([1, 1])
  expect(image.regions.test('active-l2')?.(4 * 65536, 5 * 65536)).toBe(true)
  expect(await image.status.blockStatus(0, 65536)).toMatchObject({ data: true, hostOffset: 5 * 65536 })
})

test('what is freed waits for the L2 tables, whoever flushes them', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)), { unmap: true })
  await image.writer.write(0, filled(1, 65536))
  await image.zeroWriter.discard(0, 65536)
  expect(image.freed.holds(5)).toBe(true)
  await image.caches.flush()
  expect([image.freed.isEmpty, image.search.cursor]).toEqual([true, 5])
})

test('version, backing file and read-only state are looked at when they are needed', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
  image.state.backing = new MemoryChild(filled(7, 512))
  const into = new Uint8Array(512)
  await image.reader.read(0, into)
  expect(into[0]).toBe(7)
  image.state.readOnly = true
  await image.corruption.signal('fatal', 'only a test')
  expect(image.file.ejected).toBe(false)
})
