/** Cuts several buffers into requests for a driver that takes one buffer at a time. */

import type { IoBuffers } from '../driver/requests.ts'
import { alignDown, alignUp } from '../util/align.ts'
import { simplified, sliceOf } from './vectors.ts'

/** Buffers below this length go together with their neighbours: copying them costs less than a request does. */
export const joinBelow = 4096
/** Longest request that is made of small buffers. */
export const joinMax: number = 1024 * 1024
/** How many buffers one request of a driver has at most (IOV_MAX of the systems we know). */
export const buffersMax = 1024

/** One request: `bytes` bytes, as they are or out of several buffers. */
interface Cut {
  readonly bytes: number
  readonly joined: boolean
}

/**
 * Pure: lengths of requests that are multiples of `alignment`, and together as long as all buffers, given that those
 * begin and end at multiples. What can be referred to is not joined.
 */
export function cutPieces(lengths: readonly number[], alignment: number): readonly Cut[] {
  const cuts: Cut[] = []
  let at = 0
  let pending = 0
  const flush = (): void => {
    for (const longest = alignUp(joinMax, alignment); pending > 0; ) {
      const bytes = Math.min(pending, longest)
      cuts.push({ bytes, joined: true })
      pending -= bytes
    }
  }
  for (const length of lengths) {
    const shared = alignUp(at, alignment) - at
    const whole = length > shared ? alignDown(length - shared, alignment) : 0
    if (whole >= joinBelow || (whole > 0 && whole === length && lengths.length === 1)) {
      pending += shared
      flush()
      cuts.push({ bytes: whole, joined: false })
      pending = length - shared - whole
    } else {
      pending += length
    }
    at += length
  }
  flush()
  return cuts
}

/** Bytes of the longest request that has to be joined; 0 where none has. */
export function longestJoin(lengths: readonly number[], alignment: number): number {
  let longest = 0
  for (const cut of cutPieces(lengths, alignment)) if (cut.joined) longest = Math.max(longest, cut.bytes)
  return longest
}

/** The requests in order; several buffers mean that they must be joined. */
export function pieces(buffers: readonly Uint8Array[], alignment: number): readonly IoBuffers[] {
  let at = 0
  return cutPieces(
    buffers.map((buffer) => buffer.length),
    alignment,
  ).map(({ bytes }) => {
    const piece = simplified(sliceOf(buffers, at, bytes))
    at += bytes
    return piece
  })
}
