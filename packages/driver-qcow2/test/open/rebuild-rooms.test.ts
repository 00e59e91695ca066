/** Proves that an image with other rooms is the same image: its L1 table, its settings, and what no write may hit. */

import { MemoryStore } from '@blocklayer/block-core/testing'
import { createSnapshot } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { makeGeometry } from '../../src/format/geometry.ts'
import { MiB, newImage, openDisk } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

test('other rooms, the same image', async () => {
  const store = new MemoryStore(await newImage(MiB))
  const opened = await openDisk(store)
  await opened.disk.write(0, new Uint8Array(65536).fill(1))
  await createSnapshot(opened.disk, { name: 's' })
  await opened.close()
  const { image } = await openOn(new MemoryChild(store.bytes()), { options: { l2CacheSize: 131072 } })
  const { writer, l1, caches } = image
  const table = l1.bytes
  image.rebuild(makeGeometry({ ...image.geometry, refcountOrder: 6 }))
  expect(image.geometry.refcountBits).toBe(64)
  expect(image.writer).not.toBe(writer)
  expect(image.l1.bytes).toBe(table)
  expect(image.caches.l2Tables.entryCount).toBe(caches.l2Tables.entryCount)
  const { snapshotsOffset } = image.header.header
  expect(await failureOf(() => image.overlap.check(snapshotsOffset, 512))).toBe('EIO Input/output error')
})
