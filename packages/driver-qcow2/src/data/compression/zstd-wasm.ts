/** zstd where the runtime has none: a WebAssembly library, loaded when the first image asks for it. */

import type { Zstd } from '@hpcc-js/wasm-zstd'
import { decompressFrames, type ZstdFrame } from './zstd-frame.ts'

/** The library reserves this many times its input, and at least `reservedBytesMin`, where a frame does not tell its size. */
const reservedFactor = 20
const reservedBytesMin = 1024 * 1024

/**
 * Decompresses zstd frames that fill `into`; what follows them in `input` is ignored.
 *
 * @throws where a frame is broken, or the last does not end where `into` does
 */
export async function zstdDecompress(input: Uint8Array, into: Uint8Array): Promise<void> {
  const library = await load()
  decompressFrames(input, into, (frame, contentBytesMax) => decompressFrame(library, frame, contentBytesMax))
}

/** Compresses `input` into one zstd frame that tells its size. */
export async function zstdCompress(input: Uint8Array): Promise<Uint8Array> {
  return (await load()).compress(input)
}

async function load(): Promise<Zstd> {
  const { Zstd } = await import('@hpcc-js/wasm-zstd')
  return Zstd.load()
}

function decompressFrame(library: Zstd, { bytes, contentBytes }: ZstdFrame, contentBytesMax: number): Uint8Array {
  // A size of zero counts as none in the library.
  const needed = contentBytes || contentBytesMax
  const reserved = Math.max(bytes.length * reservedFactor, reservedBytesMin)
  if (contentBytes || needed <= reserved) return library.decompress(bytes)
  return library.decompress(padded(bytes, Math.ceil(needed / reservedFactor)))
}

/** `frame` with a skippable frame behind it that makes it `bytes` long: room for a large content of few bytes. */
function padded(frame: Uint8Array, bytes: number): Uint8Array {
  const input = new Uint8Array(Math.max(bytes, frame.length + 8))
  input.set(frame)
  const view = new DataView(input.buffer, frame.length)
  view.setUint32(0, 0x184d2a50, true)
  view.setUint32(4, input.length - frame.length - 8, true)
  return input
}
