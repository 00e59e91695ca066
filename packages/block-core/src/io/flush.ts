/** One flush's way through a node and all that it writes to. */

import type { GraphNode } from '../node/graph-node.ts'
import { Permissions } from '../node/permissions.ts'
import { deliverEvent } from './debug-event.ts'

/**
 * Makes every write that has returned durable.
 *
 * Order: the driver's caches to its children, its own storage, then each child it may write to.
 *
 * @see spec/block-layer.md, section 19
 */
export async function flushNode(node: GraphNode): Promise<void> {
  const { layer } = node
  if (node.readOnly || layer.writer === undefined) return
  const generation = node.writeGeneration
  // One flush at a time: a second one must not report success before the first has ended.
  while (node.activeFlush !== undefined) await node.activeFlush
  let finish: () => void = () => {}
  node.activeFlush = new Promise<void>((resolve) => {
    finish = resolve
  })
  try {
    const primary = node.primaryEdge?.node
    if (primary !== undefined) await deliverEvent(primary, 'flush_to_os')
    await layer.flushToOs?.()
    if (!node.flags.noFlush && node.flushedGeneration < generation) {
      if (primary !== undefined) await deliverEvent(primary, 'flush_to_disk')
      await layer.flushToDisk?.()
    }
    for (const edge of node.edges.values()) {
      if ((edge.permissions.taken & (Permissions.write | Permissions.writeUnchanged)) !== 0) await flushNode(edge.node)
    }
    // Not a write that came since: its data may have missed the flush.
    node.flushedGeneration = Math.max(node.flushedGeneration, generation)
  } finally {
    node.activeFlush = undefined
    finish()
  }
}
