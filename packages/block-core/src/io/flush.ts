/** One flush's way through a node and all that it writes to. */

import type { GraphNode } from '../node/graph-node.ts'
import { Permissions } from '../node/permissions.ts'
import { deliverEvent } from './debug-event.ts'

/**
 * Makes every write that has returned durable; a read-only node has none.
 *
 * One flush runs at a time. All that come while it does share the next one, which begins after them and so covers
 * everything that they have to cover.
 *
 * @throws BlockError `ENOMEDIUM` for an ejected node, which cannot promise anything any more; what the driver reports,
 *   else what the first child that fails does
 * @see spec/block-layer.md, section 19
 */
export async function flushNode(node: GraphNode): Promise<void> {
  const { io, layer } = node
  if (node.readOnly || layer.writer === undefined) return
  if (io.nextFlush !== undefined) return io.nextFlush
  if (io.activeFlush !== undefined) {
    io.nextFlush = followingFlush(node, io.activeFlush)
    return io.nextFlush
  }
  await beginFlush(node)
}

async function followingFlush(node: GraphNode, active: Promise<void>): Promise<void> {
  await Promise.allSettled([active])
  node.io.nextFlush = undefined
  await beginFlush(node)
}

async function beginFlush(node: GraphNode): Promise<void> {
  const running = runFlush(node)
  node.io.activeFlush = running
  try {
    await running
  } finally {
    // Its followers wait for `running` itself, so they begin after this.
    if (node.io.activeFlush === running) node.io.activeFlush = undefined
  }
}

async function runFlush(node: GraphNode): Promise<void> {
  // It stands in nobody's way, but a drained section waits for it: what is flushed may be exchanged there.
  const request = node.tracked.begin(0, 0)
  try {
    await flushLayers(node)
  } finally {
    node.tracked.end(request)
  }
}

/** Order: the driver's caches to its children, its own storage, then each child it may write to. */
async function flushLayers(node: GraphNode): Promise<void> {
  const { layer } = node
  const generation = node.writeGeneration
  if (layer.flush !== undefined) {
    await layer.flush()
    node.flushedGeneration = Math.max(node.flushedGeneration, generation)
    return
  }
  const primary = node.primaryEdge?.node
  const { noFlush } = node.flags
  if (primary !== undefined) await deliverEvent(primary, 'flush_to_os')
  await layer.flushToOs?.()
  if (!noFlush && node.flushedGeneration < generation) {
    if (primary !== undefined) await deliverEvent(primary, 'flush_to_disk')
    await layer.flushToDisk?.()
  }
  await flushChildren(node)
  // Not a write that came since: its data may have missed the flush. What is left out is owed, should the mode change.
  if (!noFlush) node.flushedGeneration = Math.max(node.flushedGeneration, generation)
}

/** All of them, also after one that fails: what can be made durable is. */
async function flushChildren(node: GraphNode): Promise<void> {
  let failed: { readonly error: unknown } | undefined
  for (const edge of node.edges.values()) {
    if ((edge.permissions.taken & (Permissions.write | Permissions.writeUnchanged)) === 0) continue
    try {
      await flushNode(edge.node)
    } catch (error) {
      failed ??= { error }
    }
  }
  if (failed !== undefined) throw failed.error
}
