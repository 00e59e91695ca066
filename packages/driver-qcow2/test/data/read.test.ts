/** Proves that every part of a read comes from the right place, and that a failure is told when all parts have ended. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 4096

async function open(backing?: MemoryChild) {
  const file = new MemoryChild(await newImage(1024 * 1024, { clusterSize: cluster }))
  return { file, ...(await openOn(file, backing === undefined ? {} : { backing })) }
}

test('data, zeroes and what is not allocated, in one request', async () => {
  const { image } = await open()
  await image.writer.write(cluster, filled(1, cluster))
  await image.writer.write(5 * cluster, filled(2, cluster))
  await image.writer.write(3 * cluster, filled(3, cluster))
  await image.zeroWriter.writeZeroes(3 * cluster, cluster, { mayUnmap: false })
  const into = filled(9, 7 * cluster)
  await image.reader.read(0, into)
  const values = Array.from({ length: 7 }, (_, index) => [into[index * cluster], into[(index + 1) * cluster - 1]])
  expect(values).toEqual([0, 1, 0, 0, 0, 2, 0].map((value) => [value, value]))
})

test('the backing file supplies the rest, zeroes behind its end', async () => {
  const { image } = await open(new MemoryChild(filled(7, 2 * cluster + 512)))
  await image.writer.write(cluster, filled(1, cluster))
  const into = filled(9, 4 * cluster)
  await image.reader.read(0, into)
  expect([0, cluster, 2 * cluster, 2 * cluster + 512, 3 * cluster].map((at) => into[at])).toEqual([7, 1, 7, 0, 0])
})

test('a cluster behind the end of the file reads as zeroes', async () => {
  const { file, image } = await open()
  await image.writer.write(0, filled(1, cluster))
  await image.caches.flush()
  await file.truncate(5 * cluster)
  const into = filled(9, cluster)
  await image.reader.read(0, into)
  expect(into.some((byte) => byte !== 0)).toBe(false)
})

test('a failed part fails the read, after the others have ended', async () => {
  const { file, image } = await open()
  for (const at of [0, 2, 4, 6]) await image.writer.write(at * cluster, filled(1, cluster))
  let reads = 0
  file.fail = ({ kind }) => (kind === 'read' && reads++ === 1 ? 'EIO' : undefined)
  expect(await failureOf(() => image.reader.read(0, new Uint8Array(8 * cluster)))).toBe('EIO Input/output error')
  expect(reads).toBeGreaterThanOrEqual(2)
})

test('a read under way gets what was there when it began, whatever happens to its cluster', async () => {
  const { file, image } = await open()
  await image.writer.write(0, filled(1, cluster))
  const into = new Uint8Array(cluster)
  const originalEvent = file.debugEvent.bind(file)
  let proceed: () => void = () => undefined
  file.debugEvent = async (event) => {
    await originalEvent(event)
    if (event === 'read_aio') await new Promise<void>((resolve) => (proceed = resolve))
  }
  const reading = image.reader.read(0, into)
  await new Promise((resolve) => setTimeout(resolve, 2))
  await image.zeroWriter.discard(0, cluster)
  await image.lock.run(() => image.caches.flush())
  await image.writer.write(5 * cluster, filled(2, cluster))
  expect(image.freed.isEmpty).toBe(false)
  proceed()
  await reading
  expect(into[0]).toBe(1)
  await image.lock.run(() => image.caches.flush())
  expect(image.freed.isEmpty).toBe(true)
})
