/** Proves what is copied around the data of a write, and that nothing is read where there is nothing to copy. */

import { expectSameBytes, filled, stamped } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open(backing?: MemoryChild) {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const opened = await openOn(file, backing === undefined ? {} : { backing })
  await opened.image.l2Tables.loadForUpdate(0 as never)
  await opened.image.caches.flush()
  file.log.length = 0
  const all = async (): Promise<Uint8Array> => {
    const into = new Uint8Array(1024 * 1024)
    await opened.image.reader.read(0, into)
    return into
  }
  return { file, ...opened, all }
}

test('a write of whole clusters reads nothing from the backing file', async () => {
  const backing = new MemoryChild(stamped(0, 1024 * 1024))
  let reads = 0
  backing.fail = ({ kind }) => {
    if (kind === 'read') reads++
    return undefined
  }
  const { image } = await open(backing)
  await image.writer.write(2 * cluster, filled(1, 3 * cluster))
  expect(reads).toBe(0)
})

describe.each([
  { offset: 512, bytes: 512 },
  { offset: 0, bytes: 512 },
  { offset: cluster - 512, bytes: 512 },
  { offset: 4096, bytes: 16384 },
  { offset: 4096, bytes: 16385 },
  { offset: cluster - 1, bytes: 2 },
  { offset: 100, bytes: 3 * cluster },
])('$bytes bytes at $offset', ({ offset, bytes }) => {
  test('the rest of the clusters comes from the backing file, in one write with the data', async () => {
    const below = stamped(0, 1024 * 1024)
    const { image, file, all } = await open(new MemoryChild(below))
    await image.writer.write(offset, filled(1, bytes))
    expect(file.log.filter(({ kind }) => kind === 'write')).toHaveLength(1)
    below.fill(1, offset, offset + bytes)
    expectSameBytes(await all(), below, 'after the write')
  })

  test('where all around is zero the clusters are zeroed, not copied', async () => {
    const { image, file, all } = await open()
    await image.writer.write(offset, filled(1, bytes))
    expect(file.log.filter(({ kind }) => kind === 'write' || kind === 'zero').map(({ kind }) => kind)).toEqual([
      'zero',
      'write',
    ])
    const expected = new Uint8Array(1024 * 1024).fill(1, offset, offset + bytes)
    expectSameBytes(await all(), expected, 'after the write')
  })
})

test.each([
  { bytes: 16384, reads: 1 },
  { bytes: 16385, reads: 2 },
])('around $bytes bytes the backing file is read in $reads', async ({ bytes, reads }) => {
  const backing = new MemoryChild(stamped(0, 1024 * 1024))
  const seen: number[] = []
  backing.fail = (request) => {
    if (request.kind === 'read') seen.push(request.bytes)
    return undefined
  }
  const { image, file } = await open(backing)
  await image.writer.write(4096, filled(1, bytes))
  expect(file.log.filter(({ event }) => event === 'cow_read')).toHaveLength(reads)
  expect(seen).toEqual(reads === 1 ? [cluster] : [4096, cluster - 4096 - bytes])
})

test('a file that cannot zero quickly is asked once, then zeroes are copied', async () => {
  const { image, file, all } = await open()
  let asked = 0
  file.fail = ({ kind }) => {
    if (kind !== 'zero') return undefined
    asked++
    return 'ENOTSUP'
  }
  await image.writer.write(512, filled(1, 512))
  await image.writer.write(cluster + 512, filled(2, 512))
  expect(asked).toBe(1)
  const content = await all()
  expect([content[0], content[512], content[cluster + 512], content[cluster + 1024]]).toEqual([0, 1, 2, 0])
})

test('another failure to zero fails the write, and its cluster is free again', async () => {
  const { image, file } = await open()
  file.fail = ({ kind }) => (kind === 'zero' ? 'ENOSPC' : undefined)
  expect(await failureOf(() => image.writer.write(512, filled(1, 512)))).toBe('ENOSPC No space left on device')
  expect(await image.refcounts.get(5)).toBe(0)
})

test('two clusters that are treated differently are written with the data, then copied around', async () => {
  const { image, all } = await open(new MemoryChild(filled(7, 1024 * 1024)))
  await image.writer.write(0, filled(1, cluster))
  // Kept as zeroes, beside one that is new: two allocations under one host write.
  await image.zeroWriter.writeZeroes(0, cluster, { mayUnmap: false })
  await image.writer.write(cluster - 512, filled(2, 1024))
  const content = await all()
  expect([0, cluster - 513, cluster - 512, cluster + 511, cluster + 512].map((at) => content[at])).toEqual([
    0, 0, 2, 2, 7,
  ])
})
