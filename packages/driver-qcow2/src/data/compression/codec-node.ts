/** Compression with Node's own zlib. */

import * as zlib from 'node:zlib'
import { deflateMemory, deflateWindowBits } from './parameters.ts'
import { decompressFrames, type ZstdFrame } from './zstd-frame.ts'
import * as wasm from './zstd-wasm.ts'

/**
 * Inflates a raw deflate stream that fills `into`; what follows the stream in `input` is ignored.
 *
 * @throws where the stream is broken or too short
 */
export function inflate(input: Uint8Array, into: Uint8Array): void {
  const { Z_SYNC_FLUSH } = zlib.constants
  // Some writers leave the end mark out once the cluster is complete: a stream may end anywhere behind its last byte.
  const output = zlib.inflateRawSync(input, { maxOutputLength: into.length, finishFlush: Z_SYNC_FLUSH })
  if (output.length !== into.length) throw new Error('the deflate stream ends too early')
  into.set(output)
}

/** Deflates `input` into a raw stream, on another thread. */
export function deflate(input: Uint8Array): Promise<Uint8Array> {
  const options = { windowBits: deflateWindowBits, memLevel: deflateMemory }
  return new Promise((resolve, reject) => {
    zlib.deflateRaw(input, options, (error, output) => {
      if (error === null) resolve(output)
      else reject(error)
    })
  })
}

/** Node has zstd from 22.15 on; looked up by name, since an import of what is not there would fail altogether. */
const hasZstd = typeof (zlib as { readonly zstdCompress?: unknown }).zstdCompress === 'function'

/**
 * Decompresses zstd frames that fill `into`; what follows them in `input` is ignored.
 *
 * @throws where a frame is broken, or the last does not end where `into` does
 */
export const zstdDecompress: (input: Uint8Array, into: Uint8Array) => Promise<void> | void = hasZstd
  ? (input, into) => decompressFrames(input, into, decompressFrame)
  : wasm.zstdDecompress

/** Compresses `input` into one zstd frame that tells its size, on another thread. */
export const zstdCompress: (input: Uint8Array) => Promise<Uint8Array> = hasZstd ? compress : wasm.zstdCompress

function decompressFrame({ bytes }: ZstdFrame, contentBytesMax: number): Uint8Array {
  // All in one piece: the default would make hundreds of small ones.
  return zlib.zstdDecompressSync(bytes, { maxOutputLength: contentBytesMax, chunkSize: Math.max(64, contentBytesMax) })
}

function compress(input: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // Pledged, since the library hears of the end too late to put the size into the header by itself.
    const options = { pledgedSrcSize: input.length, chunkSize: Math.max(64, input.length) }
    zlib.zstdCompress(input, options, (error, output) => {
      if (error === null) resolve(output)
      else reject(error)
    })
  })
}
