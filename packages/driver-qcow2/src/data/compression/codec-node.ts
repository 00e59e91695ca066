/** Compression with Node's own zlib. */

import type * as Zlib from 'node:zlib'
import { type Compressor, Compressors, compressorChunkBytes } from './compressors-node.ts'
import { inflate as inflateSlowly } from './inflate.ts'
import { deflateMemory, deflateWindowBits } from './parameters.ts'
import { hasOwnMemory, releaseMemory } from './release-memory.ts'
import { decompressFrames, type ZstdFrame } from './zstd-frame.ts'
import * as wasm from './zstd-wasm.ts'

let loaded: typeof Zlib | undefined

/** Loaded by the first cluster that is compressed: with its streams it costs a small program a tenth of its start. */
function zlib(): typeof Zlib {
  loaded ??= process.getBuiltinModule('node:zlib')
  return loaded
}

/**
 * Inflates a raw deflate stream that fills `into`; what follows in `input` is ignored, be it more of the stream.
 *
 * @throws where the stream is broken or too short
 */
export function inflate(input: Uint8Array, into: Uint8Array): void {
  const output = inflateWhole(input, into.length)
  // zlib gives nothing of a stream that goes on behind the cluster, or has something else there. That is rare.
  if (output?.length === into.length) into.set(output)
  else inflateSlowly(input, into)
  if (output !== undefined && hasOwnMemory(output, wholeChunk(into.length))) releaseMemory(output)
}

/** What the stream inflates to; `undefined` where it is broken, or more than `bytesMax`. */
function inflateWhole(input: Uint8Array, bytesMax: number): Uint8Array | undefined {
  const { Z_SYNC_FLUSH } = zlib().constants
  // Some writers leave the end mark out once the cluster is complete: a stream may end anywhere behind its last byte.
  const options = { maxOutputLength: bytesMax, finishFlush: Z_SYNC_FLUSH, chunkSize: wholeChunk(bytesMax) }
  try {
    return zlib().inflateRawSync(input, options)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return undefined
  }
}

/** All in one piece: the default would make many small ones and join them. Behind a full piece the library makes another. */
function wholeChunk(bytes: number): number {
  return bytes + 64
}

let deflaters: Compressors | undefined

/** Deflates `input` into a raw stream, on another thread. The memory of the output is the caller's alone. */
export function deflate(input: Uint8Array): Promise<Uint8Array> {
  const options = { windowBits: deflateWindowBits, memLevel: deflateMemory, chunkSize: compressorChunkBytes }
  deflaters ??= new Compressors({
    create: () => zlib().createDeflateRaw(options),
    finish: zlib().constants.Z_FINISH,
  })
  return deflaters.compress(input)
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

/**
 * Compresses `input` into one zstd frame that tells its size, on another thread. The memory of the output is the caller's
 * alone.
 */
export function zstdCompress(input: Uint8Array): Promise<Uint8Array> {
  return hasZstd() ? compress(input) : wasm.zstdCompress(input)
}

function decompressFrame({ bytes }: ZstdFrame, contentBytesMax: number): Uint8Array {
  const chunkSize = wholeChunk(contentBytesMax)
  const content = zlib().zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, contentBytesMax), chunkSize })
  return hasOwnMemory(content, chunkSize) ? content : new Uint8Array(content)
}

/** For inputs of one length, which are what a disk is made of. */
let zstdCompressors: { readonly bytes: number; readonly compressors: Compressors } | undefined

function compress(input: Uint8Array): Promise<Uint8Array> {
  // Pledged, since the library hears of the end too late to put the size into the header by itself.
  const options = { pledgedSrcSize: input.length, chunkSize: compressorChunkBytes }
  if (zstdCompressors?.bytes !== input.length) {
    const create = (): Compressor => zlib().createZstdCompress(options) as Compressor
    const compressors = new Compressors({ create, finish: zlib().constants.ZSTD_e_end })
    zstdCompressors = { bytes: input.length, compressors }
  }
  return zstdCompressors.compressors.compress(input)
}
