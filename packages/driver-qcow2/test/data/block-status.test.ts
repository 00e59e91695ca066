/** Proves what is told about every type of cluster, and when the file is asked for holes. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

const cluster = 65536

async function open(options = {}, diskBytes = 1024 * 1024) {
  const file = new MemoryChild(await newImage(diskBytes, options))
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

test('where no tables are, a gap is told in one go, but not the whole of a huge disk', async () => {
  const table = 512 * 2 ** 20
  const { image } = await open({}, 1024 * table)
  const at = (offset: number, bytes: number) => image.status.blockStatus(offset, bytes)
  expect(await at(512, 10 * table)).toEqual({ bytes: 10 * table, data: false, zero: false })
  expect(await at(512, 1024 * table - 512)).toEqual({ bytes: 64 * table - 512, data: false, zero: false })
  expect(await at(1023 * table, table)).toEqual({ bytes: table, data: false, zero: false })
  await image.l2Tables.loadForUpdate((3 * table) as never)
  expect(await at(table + 512, 10 * table)).toEqual({ bytes: 2 * table - 512, data: false, zero: false })
  // An empty table is told slice by slice, as ever.
  const { bytes } = await at(3 * table, 10 * table)
  expect(bytes).toBeLessThanOrEqual(table)
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
