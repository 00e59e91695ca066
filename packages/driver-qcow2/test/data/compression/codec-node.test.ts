/** Proves that Node's inflate takes what qcow2 readers must take. */

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { deflate, inflate, zstdCompress, zstdDecompress } from '../../../src/data/compression/codec-node.ts'

const data = new Uint8Array(4096).map((_, at) => (at * at) % 251)

test('a stream with foreign bytes behind it', () => {
  const into = new Uint8Array(4096)
  inflate(Buffer.concat([deflateRawSync(data), Buffer.alloc(511, 0xaa)]), into)
  expect(into).toEqual(data)
})

test('a broken or short stream', () => {
  expect(() => inflate(new Uint8Array(16).fill(0xff), new Uint8Array(4096))).toThrow()
  expect(() => inflate(deflateRawSync(data.subarray(0, 100)), new Uint8Array(4096))).toThrow(
    'the deflate stream ends too early',
  )
  expect(() => inflate(deflateRawSync(data).subarray(0, 40), new Uint8Array(4096))).toThrow()
})

test('what is deflated comes back, and needs no larger window than other readers have', async () => {
  const data = Uint8Array.from({ length: 65536 }, (_, at) => ((at * at) >>> 7) % 251)
  const deflated = await deflate(data)
  expect(deflated.length).toBeLessThan(data.length)
  const back = new Uint8Array(data.length)
  inflate(deflated, back)
  expect(back).toEqual(data)
  expect(new Uint8Array(inflateRawSync(deflated, { windowBits: 12 }))).toEqual(data)
})

// Some lengths come from the pool that Node shares among small buffers, others do not.
test.each([512, 4096, 16384, 65536, 2 ** 21])('clusters of %i bytes, again and again', async (bytes) => {
  const data = Uint8Array.from({ length: bytes }, (_, at) => ((at * at) >>> 5) % 251)
  const bystander = Buffer.allocUnsafe(100).fill(7)
  for (let i = 0; i < 3; i++) {
    for (const [compress, decompress] of [
      [deflate, inflate],
      [zstdCompress, zstdDecompress],
    ] as const) {
      const back = new Uint8Array(bytes)
      await decompress(await compress(data), back)
      expect(back).toEqual(data)
    }
  }
  expect(bystander).toEqual(Buffer.alloc(100, 7))
})
