/** Proves what is told about every type of cluster, and when the file is asked for holes. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open(options = {}) {
  const file = new MemoryChild(await newImage(1024 * 1024, options))
  return { file, ...(await openOn(file)) }
}

test('each type', async () => {
  const { image } = await open()
  const slot = await image.l2Tables.loadForUpdate(0 as never)
  const start = image.l2Tables.cache.start(slot)
  const entries = [
    [0, 0],
    [0, 1],
    [0x80000000, 5 * cluster + 1],
    [0x80000000, 7 * cluster],
    [0x40000000, 0x90000],
  ] as const
  entries.forEach(([high, low], index) => {
    image.l2Tables.cache.view.setUint32(start + index * 8, high)
    image.l2Tables.cache.view.setUint32(start + index * 8 + 4, low)
  })
  const at = (index: number) => image.status.blockStatus(index * cluster + 512, 1024 * 1024 - index * cluster - 512)
  const bytes = cluster - 512
  expect(await at(0)).toEqual({ bytes, data: false, zero: false })
  expect(await at(1)).toEqual({ bytes, data: false, zero: true })
  expect(await at(2)).toEqual({ bytes, data: false, zero: true, hostOffset: 5 * cluster + 512 })
  expect(await at(3)).toEqual({ bytes, data: true, zero: false, hostOffset: 7 * cluster + 512, recurse: false })
  expect(await at(4)).toEqual({ bytes, data: true, zero: false, compressed: true })
})

test('an image whose clusters the host has not filled asks the file', async () => {
  const { image, file } = await open({ preallocation: 'metadata' })
  let asked = 0
  file.allocatedBytes = async () => {
    asked++
    return 4 * cluster
  }
  expect(await image.status.blockStatus(0, cluster)).toMatchObject({ data: true, recurse: true })
  expect(await image.status.blockStatus(cluster, cluster)).toMatchObject({ data: true, recurse: true })
  expect(asked).toBe(1)
})

test('an image that is as full as it says does not, nor one whose host does not tell', async () => {
  const { image } = await open({ preallocation: 'metadata' })
  expect(await image.status.blockStatus(0, cluster)).toMatchObject({ recurse: false })
  const silent = await open()
  silent.file.allocatedBytes = async () => undefined as never
  await silent.image.writer.write(0, filled(1, cluster))
  expect(await silent.image.status.blockStatus(0, cluster)).toMatchObject({ recurse: false })
})
