/** Widens an unaligned write to whole blocks by reading what stands around it. */

import type { BlkdebugEvent } from '../driver/events.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { alignDown, alignUp } from '../util/align.ts'
import { deliverEvent } from './debug-event.ts'
import { readNodeUntracked } from './read-untracked.ts'

/** An aligned range around a request, and how far the request lies inside it. */
export interface PaddedRange {
  readonly start: number
  readonly end: number
  readonly head: number
  readonly tail: number
}

/** Pure: the smallest aligned range that holds the request. */
export function padRange(offset: number, bytes: number, alignment: number): PaddedRange {
  const start = alignDown(offset, alignment)
  const end = alignUp(offset + bytes, alignment)
  return { start, end, head: offset - start, tail: end - offset - bytes }
}

/** Blocks with what the node holds around a request. One buffer of the whole range where that is one or two blocks. */
export interface Surroundings {
  readonly head: Uint8Array | undefined
  readonly tail: Uint8Array | undefined
  /** The whole padded range; then there is no `head` and no `tail`. */
  readonly whole: Uint8Array | undefined
}

/** Pure: bytes of memory that `readSurroundings` takes. */
export function surroundingsBytes(range: PaddedRange, alignment: number): number {
  if (range.head === 0 && range.tail === 0) return 0
  return isOneRead(range, alignment) ? range.end - range.start : edges(range) * alignment
}

function isOneRead(range: PaddedRange, alignment: number): boolean {
  return range.end - range.start <= edges(range) * alignment
}

function edges(range: PaddedRange): number {
  return (range.head > 0 ? 1 : 0) + (range.tail > 0 ? 1 : 0)
}

/**
 * Reads what stands around an unaligned request in its first and last block.
 *
 * One read covers both ends where the range is one or two blocks; else the head block comes first, then the tail.
 * A failing read fails the request: the reference goes on and writes garbage (docs/differences.md).
 *
 * @see spec/block-layer.md, section 15
 */
export async function readSurroundings(node: GraphNode, range: PaddedRange): Promise<Surroundings> {
  const alignment = node.limits.requestAlignment
  if (isOneRead(range, alignment)) {
    const whole = new Uint8Array(range.end - range.start)
    await readEdges(node, range.start, whole, [
      ...(range.head > 0 ? headEvents : []),
      ...(range.tail > 0 ? tailEvents : []),
    ])
    return { head: undefined, tail: undefined, whole }
  }
  const head = range.head > 0 ? new Uint8Array(alignment) : undefined
  const tail = range.tail > 0 ? new Uint8Array(alignment) : undefined
  if (head !== undefined) await readEdges(node, range.start, head, headEvents)
  if (tail !== undefined) await readEdges(node, range.end - alignment, tail, tailEvents)
  return { head, tail, whole: undefined }
}

/** What is announced before and after a read. */
type EdgeEvents = readonly { readonly before: BlkdebugEvent; readonly after: BlkdebugEvent }[]
const headEvents: EdgeEvents = [{ before: 'pwritev_rmw_head', after: 'pwritev_rmw_after_head' }]
const tailEvents: EdgeEvents = [{ before: 'pwritev_rmw_tail', after: 'pwritev_rmw_after_tail' }]

async function readEdges(node: GraphNode, offset: number, into: Uint8Array, events: EdgeEvents): Promise<void> {
  for (const { before } of events) await deliverEvent(node, before)
  await readNodeUntracked(node, offset, into)
  for (const { after } of events) await deliverEvent(node, after)
}
