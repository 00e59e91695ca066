/** Compression with Node's own zlib. */

import type * as Zlib from 'node:zlib'
import { concatBytes } from '@blocklayer/block-core/driver'
import { deflateMemory, deflateWindowBits } from './parameters.ts'
import { decompressFrames, type ZstdFrame } from './zstd-frame.ts'
import * as wasm from './zstd-wasm.ts'

let loaded: typeof Zlib | undefined

/** Loaded by the first cluster that is compressed: with its streams it costs a small program a tenth of its start. */
function zlib(): typeof Zlib {
  loaded ??= process.getBuiltinModule('node:zlib')
  return loaded
}

/**
 * Inflates a raw deflate stream that fills `into`; what follows the stream in `input` is ignored.
 *
 * @throws where the stream is broken or too short
 */
export function inflate(input: Uint8Array, into: Uint8Array): void {
  const { Z_SYNC_FLUSH } = zlib().constants
  // Some writers leave the end mark out once the cluster is complete: a stream may end anywhere behind its last byte.
  const output = zlib().inflateRawSync(input, { maxOutputLength: into.length, finishFlush: Z_SYNC_FLUSH })
  if (output.length !== into.length) throw new Error('the deflate stream ends too early')
  into.set(output)
}

/**
 * Compressors that are not at work. A new one for each cluster would take a quarter of a mebibyte each time, and the
 * memory of many would wait for the garbage collector.
 */
const idleDeflaters: Zlib.DeflateRaw[] = []

/** Deflates `input` into a raw stream, on another thread. */
export async function deflate(input: Uint8Array): Promise<Uint8Array> {
  const options = { windowBits: deflateWindowBits, memLevel: deflateMemory }
  const deflater = idleDeflaters.pop() ?? zlib().createDeflateRaw(options)
  const output = await new Promise<Uint8Array>((resolve, reject) => {
    const parts: Uint8Array[] = []
    deflater.on('data', (part: Uint8Array) => parts.push(part))
    deflater.once('error', reject)
    deflater.write(input)
    deflater.flush(zlib().constants.Z_FINISH, () => resolve(concatBytes(parts)))
  })
  deflater.removeAllListeners('data')
  deflater.removeAllListeners('error')
  deflater.reset()
  idleDeflaters.push(deflater)
  return output
}

/** Node has zstd from 22.15 on. */
function hasZstd(): boolean {
  return typeof (zlib() as { readonly zstdCompress?: unknown }).zstdCompress === 'function'
}

/**
 * Decompresses zstd frames that fill `into`; what follows them in `input` is ignored.
 *
 * @throws where a frame is broken, or the last does not end where `into` does
 */
export function zstdDecompress(input: Uint8Array, into: Uint8Array): Promise<void> | void {
  return hasZstd() ? decompressFrames(input, into, decompressFrame) : wasm.zstdDecompress(input, into)
}

/** Compresses `input` into one zstd frame that tells its size, on another thread. */
export function zstdCompress(input: Uint8Array): Promise<Uint8Array> {
  return hasZstd() ? compress(input) : wasm.zstdCompress(input)
}

function decompressFrame({ bytes }: ZstdFrame, contentBytesMax: number): Uint8Array {
  // All in one piece: the default would make hundreds of small ones.
  return zlib().zstdDecompressSync(bytes, {
    maxOutputLength: contentBytesMax,
    chunkSize: Math.max(64, contentBytesMax),
  })
}

function compress(input: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // Pledged, since the library hears of the end too late to put the size into the header by itself.
    const options = { pledgedSrcSize: input.length, chunkSize: Math.max(64, input.length) }
    zlib().zstdCompress(input, options, (error, output) => {
      if (error === null) resolve(output)
      else reject(error)
    })
  })
}
