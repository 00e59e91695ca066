/** Proves that writes land whole, in few requests, beside each other, and that a failed one leaves no trace. */

import { expectSameBytes, filled, random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536
const MiB = 1024 * 1024

async function open(size = 64 * MiB, clusterSize = cluster) {
  const file = new MemoryChild(await newImage(size, { clusterSize }))
  return { file, ...(await openOn(file)) }
}

test('a sequential megabyte is one allocation and one write', async () => {
  const { file, image } = await open()
  await image.writer.write(0, filled(1, cluster))
  file.log.length = 0
  await image.writer.write(MiB, filled(2, MiB))
  expect(file.log.filter(({ kind }) => kind === 'write')).toEqual([{ kind: 'write', offset: 6 * cluster, bytes: MiB }])
  expect(file.log.filter(({ event }) => event === 'cluster_alloc')).toHaveLength(1)
})

test('a write over scattered clusters goes to all of them', async () => {
  const { file, image } = await open()
  for (let at = 20; at > 0; at -= 2) await image.writer.write(at * cluster, filled(1, cluster))
  file.log.length = 0
  await image.writer.write(512, filled(2, 22 * cluster))
  expect(file.log.filter(({ kind }) => kind === 'write').length).toBeGreaterThan(10)
  const into = new Uint8Array(24 * cluster)
  await image.reader.read(0, into)
  expectSameBytes(into, new Uint8Array(24 * cluster).fill(2, 512, 512 + 22 * cluster), 'all of it')
})

test.each([1, 2, 3, 4])('writers of the same clusters do not lose each other’s data, seed %i', async (seed) => {
  const choose = random(seed)
  const clusterSize = 4096
  const { image } = await open(MiB, clusterSize)
  const model = new Uint8Array(MiB)
  for (let round = 0; round < 20; round++) {
    const writes: Promise<void>[] = []
    let at = choose.below(20) * 512
    while (at < MiB && writes.length < 24) {
      const bytes = (1 + choose.below(choose.chance(0.2) ? 60 : 6)) * 512
      const end = Math.min(MiB, at + bytes)
      const value = 1 + choose.below(255)
      writes.push(image.writer.write(at, filled(value, end - at)))
      model.fill(value, at, end)
      at = end + choose.below(3) * 512
    }
    await Promise.all(writes)
  }
  expect(image.inFlight.isEmpty).toBe(true)
  const into = new Uint8Array(MiB)
  await image.reader.read(0, into)
  expectSameBytes(into, model, `seed ${seed}`)
})

test('a failed data write frees its clusters; the next lands on the same', async () => {
  const { file, image } = await open()
  await image.writer.write(0, filled(1, cluster))
  file.fail = ({ kind, offset }) => (kind === 'write' && offset >= 6 * cluster ? 'ENOSPC' : undefined)
  expect(await failureOf(() => image.writer.write(cluster, filled(2, cluster)))).toBe('ENOSPC No space left on device')
  file.fail = () => undefined
  expect([await image.refcounts.get(6), image.inFlight.isEmpty]).toEqual([0, true])
  file.log.length = 0
  await image.writer.write(cluster, filled(2, cluster))
  expect(file.log.find(({ kind }) => kind === 'write')?.offset).toBe(6 * cluster)
})

test('a failed link frees the clusters as well', async () => {
  const { file, image } = await open(2048 * MiB)
  await image.writer.write(0, filled(1, cluster))
  await image.writer.write(512 * MiB, filled(1, cluster))
  await image.caches.l2Tables.empty()
  let reads = 0
  // The table is read once for the plan; when it is read again for the link it fails.
  file.fail = ({ kind, offset }) => {
    if (kind === 'write' && offset >= 8 * cluster) image.caches.l2Tables.forget(4 * cluster)
    return kind === 'read' && offset === 4 * cluster && ++reads === 2 ? 'EIO' : undefined
  }
  expect(await failureOf(() => image.writer.write(cluster, filled(2, cluster)))).toBe('EIO Input/output error')
  file.fail = () => undefined
  expect([reads, await image.refcounts.get(8), image.inFlight.isEmpty]).toEqual([2, 0, true])
})

test('after an ejection nothing is written any more', async () => {
  const { file, image } = await open()
  await image.writer.write(0, filled(1, cluster))
  image.file.eject()
  file.log.length = 0
  expect(await failureOf(() => image.writer.write(0, filled(1, 512)))).toBe('ENOMEDIUM No medium found')
  expect(file.log.filter(({ kind }) => kind !== 'event')).toEqual([])
})
