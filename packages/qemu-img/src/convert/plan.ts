/** Which parts of a buffer are worth writing: pure decisions, no I/O. */

import { isZero } from '@blocklayer/block-core'

/**
 * How much of a run is one piece of work where only whole clusters may be written: a cluster that is of several kinds is
 * data as a whole.
 *
 * @param run - from the first byte of a cluster to where the kind changes
 * @param rest - bytes from there to the end of the disk; its last cluster may be a part of one
 */
export function wholeClusters<Kind extends string>(
  run: { readonly bytes: number; readonly kind: Kind },
  rest: number,
  clusterBytes: number,
): { readonly bytes: number; readonly kind: Kind | 'data' } {
  if (run.bytes >= rest) return { bytes: rest, kind: run.kind }
  const bytes = run.bytes - (run.bytes % clusterBytes)
  return bytes > 0 ? { bytes, kind: run.kind } : { bytes: Math.min(clusterBytes, rest), kind: 'data' }
}

/** A part of a buffer, relative to its start. */
export interface Segment {
  readonly start: number
  readonly end: number
  readonly zero: boolean
}

/** When zeroes count as such. */
export interface SparseRules {
  /** Zero runs between data that are shorter are data; a multiple of 512, above 0. */
  readonly sparseBytes: number
  /** Ends of zero runs are multiples of it, counted from the disk's start; a power of two. */
  readonly alignment: number
}

/**
 * The alignment of zero runs: fine enough for runs of `sparseBytes`, and never finer than the target's requests.
 *
 * @param requestAlignment - a power of two
 */
export function zeroAlignment(sparseBytes: number, requestAlignment: number): number {
  return Math.max(2 ** Math.floor(Math.log2(Math.max(sparseBytes, 512))), requestAlignment)
}

/**
 * Cuts `data` into segments that are to be written and segments of zeroes, in order, without gaps.
 *
 * @param offset - of `data` in the disk
 */
export function planSegments(data: Uint8Array, offset: number, { sparseBytes, alignment }: SparseRules): Segment[] {
  if (isZero(data)) return [{ start: 0, end: data.length, zero: true }]
  const segments: Segment[] = []
  let start = 0
  let end = Math.min(alignment - (offset % alignment), data.length)
  while (start < data.length) {
    append(segments, { start, end, zero: isZero(data.subarray(start, end)) })
    start = end
    end = Math.min(end + alignment, data.length)
  }
  return joinShortZeroes(segments, sparseBytes)
}

/** Adds a block, to the segment before it if that is of the same kind. */
function append(segments: Segment[], block: Segment): void {
  const last = segments.at(-1)
  if (last?.zero === block.zero) segments[segments.length - 1] = { ...last, end: block.end }
  else segments.push(block)
}

/** Zeroes between data that are too short to be worth two writes become data; at either end they stay zeroes. */
function joinShortZeroes(segments: readonly Segment[], sparseBytes: number): Segment[] {
  const joined: Segment[] = []
  segments.forEach((segment, i) => {
    const inside = i > 0 && i < segments.length - 1
    const short = segment.zero && inside && segment.end - segment.start < sparseBytes
    append(joined, short ? { ...segment, zero: false } : segment)
  })
  return joined
}
