/** Inflating with Node's own zlib. */

import { constants, inflateRawSync } from 'node:zlib'

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
