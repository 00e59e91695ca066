/** Proves that an image never holds more data than its first tables are said to allow. */

import { BlockError } from '@blocklayer/block-core/driver'
import { MemoryStore, stamped } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { qcow2DataBytesMax } from '../../../src/features/stream-write/data-bound.ts'
import { KiB, MiB, newImage, openDisk } from '../../helpers/disk.ts'

/** 4 KiB clusters: 2 MiB of the disk to an L2 table, 8 MiB of the file to a refcount block. */
async function filledStore(offsets: readonly number[]): Promise<MemoryStore> {
  const store = new MemoryStore(await newImage(64 * MiB, { clusterSize: 4 * KiB }))
  await using opened = await openDisk(store)
  for (const offset of offsets) await opened.disk.write(offset, stamped(offset, 64 * KiB))
  return store
}

const reader = (store: MemoryStore) => async (offset: number, into: Uint8Array) => void store.read(offset, into)

test('no more than the refcounts count, and than the L2 tables cover', async () => {
  const store = await filledStore([0, 30 * MiB])
  // 32 clusters of data; header, refcount table and block, L1 table and two L2 tables count as well.
  expect(await qcow2DataBytesMax(reader(store), false)).toBe((32 + 6) * 4 * KiB)
  expect(await qcow2DataBytesMax(reader(store), true)).toBe(4 * MiB)
})

test('an empty image holds nothing', async () => {
  expect(await qcow2DataBytesMax(reader(await filledStore([])), false)).toBe(0)
})

test('a refcount block that cannot be read counts as full, and other failures are told', async () => {
  const store = await filledStore([0])
  const until = (limit: number) => async (offset: number, into: Uint8Array) => {
    if (offset >= limit && offset < limit + 4 * KiB) throw new BlockError('ESPIPE', 'not yet')
    store.read(offset, into)
  }
  // The only block, in cluster 2, would count 2048 clusters: more than the one L2 table covers.
  expect(await qcow2DataBytesMax(until(8 * KiB), false)).toBe(2 * MiB)
  await expect(qcow2DataBytesMax(until(4 * KiB), false)).rejects.toThrow('not yet')
})
