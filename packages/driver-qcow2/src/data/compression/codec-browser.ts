/**
 * Deflating and inflating in plain JavaScript, and zstd in WebAssembly. Browsers have `DecompressionStream`, but it fails on
 * the foreign bytes that follow a compressed cluster, and there is no telling in advance where the stream ends; and
 * `CompressionStream`, but its window is larger than other readers of qcow2 expect.
 */

import { deflateRaw } from 'pako'
import { deflateMemory, deflateWindowBits } from './parameters.ts'

export { inflate } from './inflate.ts'
export { zstdCompress, zstdDecompress } from './zstd-wasm.ts'

/** Deflates `input` into a raw stream. */
export async function deflate(input: Uint8Array): Promise<Uint8Array> {
  return deflateRaw(input, { windowBits: deflateWindowBits, memLevel: deflateMemory })
}
