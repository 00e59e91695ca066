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

/**
 * Fills the head and tail blocks of `buffer` (which covers the padded range) with what the node holds.
 *
 * One read covers both ends where the range is one or two blocks; else the head block comes first, then the tail.
 * A failing read fails the request: the reference goes on and writes garbage (docs/differences.md).
 *
 * @see spec/block-layer.md, section 15
 */
export async function readPadding(node: GraphNode, range: PaddedRange, buffer: Uint8Array): Promise<void> {
  const alignment = node.limits.requestAlignment
  const length = range.end - range.start
  if (range.head > 0 && range.tail > 0 && length <= 2 * alignment) {
    await deliverAll(node, ['pwritev_rmw_head', 'pwritev_rmw_tail'])
    await readNodeUntracked(node, range.start, buffer)
    await deliverAll(node, ['pwritev_rmw_after_head', 'pwritev_rmw_after_tail'])
    return
  }
  if (range.head > 0) {
    await deliverEvent(node, 'pwritev_rmw_head')
    await readNodeUntracked(node, range.start, buffer.subarray(0, alignment))
    await deliverEvent(node, 'pwritev_rmw_after_head')
  }
  if (range.tail > 0) {
    await deliverEvent(node, 'pwritev_rmw_tail')
    await readNodeUntracked(node, range.end - alignment, buffer.subarray(length - alignment))
    await deliverEvent(node, 'pwritev_rmw_after_tail')
  }
}

async function deliverAll(node: GraphNode, events: readonly BlkdebugEvent[]): Promise<void> {
  for (const event of events) await deliverEvent(node, event)
}
