/** What every write leaves behind in the node: generations and dirty bitmaps. */

import type { GraphNode } from '../node/graph-node.ts'

/** What follows every write and discard, also a failed one: generations and dirty bitmaps. */
export function finishWrite(node: GraphNode, offset: number, bytes: number): void {
  node.writeGeneration++
  if (node.dirtyBitmaps.size === 0) return
  const length = node.liveLayer === undefined ? 0 : node.length
  for (const bitmap of node.dirtyBitmaps) {
    if (length > bitmap.length) bitmap.truncate(length)
    if (bitmap.enabled) bitmap.markDirty(offset, Math.min(bytes, Math.max(0, bitmap.length - offset)))
  }
}
