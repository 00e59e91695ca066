/** Proves that the library and Node understand each other, and that a bomb takes no memory to speak of. */

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import * as node from '../../../src/data/compression/codec-node.ts'
import { zstdCompress, zstdDecompress } from '../../../src/data/compression/zstd-wasm.ts'
import { frame, runBlock } from '../../helpers/zstd-streams.ts'

const text = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, at) => ((at * at) >>> 7) % 251)

describe.each([512, 65536, 2 ** 21])('%i bytes', (bytes) => {
  const choose = random(bytes)
  const contents = { text: text(bytes), zeroes: new Uint8Array(bytes), noise: text(bytes).map(() => choose.below(256)) }
  test.each(Object.entries(contents))('%s', async (_, data) => {
    for (const compress of [zstdCompress, node.zstdCompress]) {
      for (const decompress of [zstdDecompress, node.zstdDecompress]) {
        const into = new Uint8Array(bytes)
        await decompress(await compress(data), into)
        expect(Buffer.compare(into, data)).toBe(0)
      }
    }
  })

  test('of a frame that does not tell its size', async () => {
    const data = new Uint8Array(bytes).fill(3)
    const blocks = Array.from({ length: Math.ceil(bytes / 131072) }, () => runBlock(3, Math.min(bytes, 131072)))
    for (const decompress of [zstdDecompress, node.zstdDecompress]) {
      const into = new Uint8Array(bytes)
      await decompress(frame({ window: 0x60, blocks }), into)
      expect(Buffer.compare(into, data)).toBe(0)
    }
  })
})

// Readers may rely on it: the reference's own frames have one segment, a size, no checksum.
test('frames begin as those of the reference', async () => {
  for (const compress of [zstdCompress, node.zstdCompress]) {
    const bytes = await compress(text(65536))
    expect(Buffer.from(bytes.subarray(0, 7)).toString('hex')).toBe('28b52ffd6000ff')
    expect(Buffer.compare(zstdDecompressSync(bytes), text(65536))).toBe(0)
  }
})

// Blocks of 128 KiB: a quarter of a gigabyte in 8 KiB of stream, and 8 GiB in 256 KiB.
test.each([
  { cluster: 65536, count: 2048 },
  { cluster: 2 * 2 ** 20, count: 65536 },
])('a bomb of $count blocks is noticed at the end of the cluster', async ({ cluster, count }) => {
  const blocks = Array.from({ length: count }, () => runBlock(0, 131072))
  const bombs = [frame({ window: 0x60, blocks }), frame({ size: 2 ** 28, blocks })]
  for (const decompress of [zstdDecompress, node.zstdDecompress]) {
    await decompress(await zstdCompress(new Uint8Array(65536)), new Uint8Array(65536))
    const before = process.memoryUsage()
    for (const bomb of bombs) {
      await expect((async () => decompress(bomb, new Uint8Array(cluster)))()).rejects.toThrow()
    }
    const { arrayBuffers, external } = process.memoryUsage()
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 2 ** 20)
    expect(external - before.external).toBeLessThan(16 * 2 ** 20)
  }
})

test('a frame with a window that its content does not need', async () => {
  const data = text(65536)
  const { ZSTD_c_windowLog, ZSTD_c_contentSizeFlag } = constants
  const stream = zstdCompressSync(data, { params: { [ZSTD_c_windowLog]: 27, [ZSTD_c_contentSizeFlag]: 0 } })
  for (const decompress of [zstdDecompress, node.zstdDecompress]) {
    const into = new Uint8Array(65536)
    await decompress(stream, into)
    expect(Buffer.compare(into, data)).toBe(0)
  }
})
