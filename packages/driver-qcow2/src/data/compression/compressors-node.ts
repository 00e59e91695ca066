/** Node's compressors, used again and again. */

import type * as Zlib from 'node:zlib'
import { concatBytes } from '@blocklayer/block-core/driver'
import { hasOwnMemory, releaseMemory } from './release-memory.ts'

/** Memory that a compressor fills with its output before it takes more; long enough not to come from Node's pool. */
export const compressorChunkBytes = 65536

/** That of zstd has the same methods, though its type does not tell of all. */
export type Compressor = Zlib.DeflateRaw

/** What to compress with. */
export interface CompressorKind {
  /** A new one, with chunks of `compressorChunkBytes`. */
  create(): Compressor
  /** How it is told that the input has ended. */
  readonly finish: number
}

/**
 * Compressors of one kind. A new one for each cluster would take up to some mebibytes each time, and the memory of many
 * would wait for the garbage collector.
 */
export class Compressors {
  readonly #kind: CompressorKind
  readonly #idle: Compressor[] = []

  constructor(kind: CompressorKind) {
    this.#kind = kind
  }

  /** Compresses `input`, on another thread. The memory of the output is the caller's alone. */
  async compress(input: Uint8Array): Promise<Uint8Array> {
    const compressor = this.#idle.pop() ?? this.#kind.create()
    const output = await new Promise<Uint8Array>((resolve, reject) => {
      const parts: Uint8Array[] = []
      compressor.on('data', (part: Uint8Array) => parts.push(part))
      compressor.once('error', reject)
      compressor.write(input)
      compressor.flush(this.#kind.finish, () => resolve(joinParts(parts)))
    })
    compressor.removeAllListeners('data')
    compressor.removeAllListeners('error')
    compressor.reset()
    this.#idle.push(compressor)
    return output
  }
}

/** Copies what a compressor gave. It goes on behind a part in the same piece of memory; it is done with a full one. */
function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const output = concatBytes(parts)
  for (const part of parts) {
    const isFull = part.byteOffset + part.length === compressorChunkBytes
    if (isFull && hasOwnMemory(part, compressorChunkBytes)) releaseMemory(part)
  }
  return output
}
