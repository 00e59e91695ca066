/** Proves that compressed clusters are read as the reference wrote them, and that broken ones are read errors. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expectSameBytes, random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../helpers/reference.ts'

/** Compressible, incompressible and empty stretches. */
function content(bytes: number): Uint8Array {
  const choose = random(5)
  const data = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at++) {
    const stretch = Math.floor(at / 20000) % 3
    data[at] = stretch === 0 ? choose.below(256) : stretch === 1 ? choose.below(4) : 0
  }
  return data
}

describeWithReference('compressed images of the reference', () => {
  const types = ['zlib', 'zstd']
  const sizes = [512, 4096, 65536, 2097152]
  test.each(types.flatMap((type) => sizes.map((size) => [type, size] as const)))(
    '%s, clusters of %i bytes',
    async (type, clusterSize) => {
      using folder = new TemporaryFolder()
      const data = content(3 * 1024 * 1024 + 512)
      writeFileSync(folder.file('raw'), data)
      const args = [
        'convert',
        '-c',
        '-O',
        'qcow2',
        '-o',
        `cluster_size=${clusterSize},compression_type=${type}`,
        folder.file('raw'),
      ]
      qemuImg(...args, folder.file('image'))
      const { image } = await openOn(new MemoryChild(new Uint8Array(readFileSync(folder.file('image')))), {
        readOnly: true,
      })
      const into = new Uint8Array(data.length)
      await image.reader.read(0, into)
      expectSameBytes(into, data, 'all of it')
      const choose = random(6)
      for (let round = 0; round < 50; round++) {
        const offset = choose.below(data.length - 1)
        const part = new Uint8Array(1 + choose.below(Math.min(100_000, data.length - offset)))
        await image.reader.read(offset, part)
        expectSameBytes(part, data.subarray(offset, offset + part.length), `${part.length} bytes at ${offset}`)
      }
    },
  )

  test('a broken stream is an input/output error and marks nothing', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.file('raw'), content(65536))
    qemuImg('convert', '-c', '-O', 'qcow2', folder.file('raw'), folder.file('image'))
    const file = new MemoryChild(new Uint8Array(readFileSync(folder.file('image'))))
    const { image, ejected } = await openOn(file)
    await file.write(5 * 65536, new Uint8Array(65536).fill(0xff))
    expect(await failureOf(() => image.reader.read(0, new Uint8Array(512)))).toBe('EIO Input/output error')
    expect(ejected()).toBe(false)
  })

  test('a write over a compressed cluster keeps what it does not cover', async () => {
    using folder = new TemporaryFolder()
    const data = content(131072)
    writeFileSync(folder.file('raw'), data)
    qemuImg('convert', '-c', '-O', 'qcow2', folder.file('raw'), folder.file('image'))
    const { image } = await openOn(new MemoryChild(new Uint8Array(readFileSync(folder.file('image')))))
    await image.writer.write(1024, new Uint8Array(512).fill(7))
    data.fill(7, 1024, 1536)
    const into = new Uint8Array(data.length)
    await image.reader.read(0, into)
    expectSameBytes(into, data, 'after the write')
  })
})
