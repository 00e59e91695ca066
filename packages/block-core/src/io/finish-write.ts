/** What every write leaves behind in the node: generations, dirty bitmaps, the last event, durability. */

import type { GraphNode } from '../node/graph-node.ts'
import { deliverEvent, hasListener } from './debug-event.ts'
import { flushNode } from './flush.ts'

/** What follows every write and discard, also a failed one: generations and dirty bitmaps. */
export function finishWrite(node: GraphNode, offset: number, bytes: number): void {
  node.writeGeneration++
  if (node.dirtyBitmaps.size === 0) return
  const length = node.liveLayer === undefined ? 0 : node.length
  for (const bitmap of node.dirtyBitmaps) {
    if (length > bitmap.length) bitmap.truncate(length)
    bitmap.markDirty(offset, Math.min(bytes, Math.max(0, bitmap.length - offset)))
  }
}

/** An aligned write on its way to the driver. */
export interface AccountedWrite {
  readonly event: 'pwritev' | 'pwritev_zero'
  readonly offset: number
  readonly bytes: number
  /** The node is flushed when the driver is done. */
  readonly flush: boolean
}

/**
 * Runs the driver's part of a write between its two events, and accounts for it whether it succeeds or not: a write
 * that failed may have changed any part of its range. The flush comes after the accounting: it must cover this write
 * also on a node without children (the reference misses it there, docs/differences.md).
 */
export async function runAccounted(node: GraphNode, write: AccountedWrite, run: () => Promise<void>): Promise<void> {
  if (hasListener(node)) await deliverEvent(node, write.event)
  try {
    try {
      await run()
    } finally {
      finishWrite(node, write.offset, write.bytes)
    }
    if (write.flush) await flushNode(node)
  } finally {
    if (hasListener(node)) await deliverEvent(node, 'pwritev_done')
  }
}
