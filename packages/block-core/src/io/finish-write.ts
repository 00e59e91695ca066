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

/** Tells all users of a node that its length is another one. */
export function announceLength(node: GraphNode): void {
  if (node.liveLayer !== undefined) node.io.announcedLength = node.length
  for (const edge of node.parents) edge.parent.resized?.(edge)
}

/** An aligned write on its way to the driver. */
export interface AccountedWrite {
  /** Announced before it; `undefined`: nothing is. */
  readonly event: 'pwritev' | 'pwritev_zero' | undefined
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
  const listens = hasListener(node)
  if (listens && write.event !== undefined) await deliverEvent(node, write.event)
  const end = write.offset + write.bytes
  const grows = end > node.length
  try {
    try {
      await run()
    } finally {
      if (end > node.io.writeHighestOffset) node.io.writeHighestOffset = end
      finishWrite(node, write.offset, write.bytes)
    }
    if (grows) announceLength(node)
    if (write.flush) await flushNode(node)
  } finally {
    if (listens) await deliverEvent(node, 'pwritev_done')
  }
}
