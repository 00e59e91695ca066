/**
 * Proves that `l2-cache-size`, `l2-cache-entry-size` and `refcount-cache-size` are honoured by an open image: so many
 * bytes are held, in slices of that size, and the table that no longer fits is read again. (What the options come to, and
 * how bad values are refused, is in runtime-options.test.ts.)
 */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { KiB, MiB, newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'
import type { Qcow2Options } from '../../src/open/options.ts'

const clusterSize = 512
/** Bytes of the disk that an L2 table of one cluster maps. */
const coverage = (clusterSize / 8) * clusterSize

/** A file that remembers how long what was read is. */
class ReadLog extends MemoryChild {
  readonly #lengths: number[] = []

  override async read(offset: number, into: Uint8Array): Promise<void> {
    this.#lengths.push(into.length)
    await super.read(offset, into)
  }

  /** The lengths since the last call. */
  take(): number[] {
    return this.#lengths.splice(0)
  }
}

/** An open image with all its metadata, of which nothing is cached. */
async function full(options: Qcow2Options, size = MiB, bytes = clusterSize) {
  const file = new ReadLog(await newImage(size, { clusterSize: bytes, preallocation: 'metadata' }))
  const { image } = await openOn(file, { options })
  file.take()
  return { image, file }
}

test.each([2, 5, 16])('l2-cache-size: %i tables are held, one more is read again', async (tables) => {
  const { image, file } = await full({ l2CacheSize: tables * clusterSize })
  const { l2Tables } = image.caches
  expect([l2Tables.bytes.length, l2Tables.entryCount]).toEqual([tables * clusterSize, tables])
  const visit = async (count: number): Promise<number> => {
    for (let index = 0; index < count; index++) await image.lookup.find((index * coverage) as never, 1)
    return file.take().length
  }
  expect([await visit(tables), await visit(tables)]).toEqual([tables, 0])
  // The least recently used goes: going round with one too many finds none.
  expect([(await visit(tables + 1)) > 0, await visit(tables + 1)]).toEqual([true, tables + 1])
  expect(l2Tables.bytes.length).toBe(tables * clusterSize)
})

test.each([512, 4096, 65536])('l2-cache-entry-size: slices of %i bytes are read', async (l2CacheEntrySize) => {
  const options = { l2CacheSize: 128 * KiB, l2CacheEntrySize }
  const { image, file } = await full(options, 16 * MiB, 65536)
  // One table of 64 KiB maps all of the disk: no more is kept than there is, but never less than two slices.
  const { l2Tables } = image.caches
  const slots = Math.max(2, 65536 / l2CacheEntrySize)
  expect([l2Tables.entrySize, l2Tables.entryCount]).toEqual([l2CacheEntrySize, slots])
  await image.lookup.find(0 as never, 1)
  expect(file.take()).toEqual([l2CacheEntrySize])
  const perSlice = (l2CacheEntrySize / 8) * 65536
  await image.lookup.find(Math.min(perSlice - 65536, 16 * MiB - 65536) as never, 1)
  expect(file.take()).toEqual([])
  if (perSlice < 16 * MiB) {
    await image.lookup.find(perSlice as never, 1)
    expect(file.take()).toEqual([l2CacheEntrySize])
  }
})

test('a slice is also what is written', async () => {
  const options = { l2CacheSize: 4 * KiB, l2CacheEntrySize: 512 }
  const file = new MemoryChild(await newImage(16 * MiB, { clusterSize: 65536 }))
  const { image } = await openOn(file, { options })
  await image.writer.write(0, filled(1, 512))
  await image.caches.flush()
  await image.writer.write(65536, filled(1, 512))
  file.log.length = 0
  await image.caches.l2Tables.store()
  expect(file.log.filter(({ kind }) => kind === 'write').map(({ bytes }) => bytes)).toContain(512)
})

test.each([4, 7])('refcount-cache-size: %i blocks are held, one more is read again', async (blocks) => {
  const { image, file } = await full({ refcountCacheSize: blocks * clusterSize })
  const { refblocks } = image.caches
  expect([refblocks.bytes.length, refblocks.entryCount]).toEqual([blocks * clusterSize, blocks])
  const visit = async (count: number): Promise<number> => {
    for (let index = 0; index < count; index++) await image.refcounts.get(index * (clusterSize / 2))
    return file.take().length
  }
  expect([await visit(blocks), await visit(blocks)]).toEqual([blocks, 0])
  expect([(await visit(blocks + 1)) > 0, await visit(blocks + 1)]).toEqual([true, blocks + 1])
})
