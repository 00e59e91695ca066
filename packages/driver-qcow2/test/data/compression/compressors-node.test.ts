/** Proves that compressors are used again, side by side too, and leave nothing of what they made to the garbage collector. */

import { constants, createDeflateRaw, createZstdCompress, inflateRawSync, zstdDecompressSync } from 'node:zlib'
import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import {
  type Compressor,
  Compressors,
  compressorChunkBytes as chunkSize,
} from '../../../src/data/compression/compressors-node.ts'

const source = random(5)
const noise = (bytes: number) => Uint8Array.from({ length: bytes }, () => source.below(256))
const lengths = [0, 1, 512, 65536, 200_000]

const kinds = [
  ['deflate', () => createDeflateRaw({ chunkSize }), constants.Z_FINISH, inflateRawSync],
  ['zstd', () => createZstdCompress({ chunkSize }) as Compressor, constants.ZSTD_e_end, zstdDecompressSync],
] as const

describe.each(kinds)('%s', (_name, make, finish, decompress) => {
  const made: Compressor[] = []
  const create = (): Compressor => {
    made.push(make())
    return made.at(-1)!
  }

  test('one after the other share a compressor, and side by side each has its own', async () => {
    const compressors = new Compressors({ create, finish })
    const inputs = lengths.map(noise)
    for (const input of inputs) {
      expect(new Uint8Array(decompress(await compressors.compress(input)))).toEqual(input)
    }
    expect(made.length).toBe(1)
    const outputs = await Promise.all(inputs.map((input) => compressors.compress(input)))
    expect(outputs.map((output) => new Uint8Array(decompress(output)))).toEqual(inputs)
    expect(made.length).toBe(inputs.length)
  })

  test('what was used up is given back before the garbage collector comes', async () => {
    const compressors = new Compressors({ create, finish })
    const input = noise(65536)
    await compressors.compress(input)
    const before = process.memoryUsage().arrayBuffers
    let kept = 0
    // A collection would be the only other way; it does not come for so few objects.
    for (let i = 0; i < 64; i++) kept += (await compressors.compress(input)).buffer.byteLength
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(kept + 16 * chunkSize)
  })
})
