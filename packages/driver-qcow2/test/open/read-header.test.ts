/** Proves that headers of any length are read, zero padded, and that read errors keep their code. */

import { expect, test } from 'vitest'
import { readHeader } from '../../src/open/read-header.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf } from '../helpers/open-on.ts'

test('the header and the whole first cluster', async () => {
  const { header, cluster } = await readHeader(new MemoryChild(await newImage(1024 * 1024, { clusterSize: 4096 })))
  expect([header.size, header.clusterBits, cluster.length]).toEqual([1024 * 1024, 12, 4096])
})

test('a file that ends within the first cluster', async () => {
  const { header, cluster } = await readHeader(new MemoryChild((await newImage(1024 * 1024)).slice(0, 104)))
  expect([header.version, cluster.length, cluster[105]]).toEqual([3, 65536, 0])
})

test('fields of a later version are kept', async () => {
  const content = await newImage(1024 * 1024)
  content[103] = 120
  content.set([1, 2, 3, 4, 5, 6, 7, 8], 112)
  expect((await readHeader(new MemoryChild(content))).header.unknownFields).toEqual(
    new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
  )
})

test('not an image, or not readable', async () => {
  expect(await failureOf(() => readHeader(new MemoryChild()))).toBe('EINVAL Image is not in qcow2 format')
  const file = new MemoryChild(await newImage(1024 * 1024))
  file.fail = () => 'EIO'
  expect(await failureOf(() => readHeader(file))).toBe('EIO Could not read qcow2 header: Input/output error')
})
