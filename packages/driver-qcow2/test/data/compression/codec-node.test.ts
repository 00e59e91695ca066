/** Proves that Node's inflate takes what qcow2 readers must take. */

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { deflate, inflate } from '../../../src/data/compression/codec-node.ts'

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
