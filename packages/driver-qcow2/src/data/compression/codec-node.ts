/** Deflating and inflating with Node's own zlib. */

import { constants, deflateRaw, inflateRawSync } from 'node:zlib'
import { deflateMemory, deflateWindowBits } from './parameters.ts'

/**
 * Inflates a raw deflate stream that fills `into`; what follows the stream in `input` is ignored.
 *
 * @throws where the stream is broken or too short
 */
export function inflate(input: Uint8Array, into: Uint8Array): void {
  // Some writers leave the end mark out once the cluster is complete: a stream may end anywhere behind its last byte.
  const output = inflateRawSync(input, { maxOutputLength: into.length, finishFlush: constants.Z_SYNC_FLUSH })
  if (output.length !== into.length) throw new Error('the deflate stream ends too early')
  into.set(output)
}

/** Deflates `input` into a raw stream, on another thread. */
export function deflate(input: Uint8Array): Promise<Uint8Array> {
  const options = { windowBits: deflateWindowBits, memLevel: deflateMemory }
  return new Promise((resolve, reject) => {
    deflateRaw(input, options, (error, output) => {
      if (error === null) resolve(output)
      else reject(error)
    })
  })
}
