/** Stops requests at their sources and waits for those that are under way. */

import type { GraphNode } from '../node/graph-node.ts'

/**
 * Begins a drained section on `node`: its users issue no more requests, and none is in flight when this resolves.
 * Ends with `endDrain`.
 *
 * @see spec/block-layer.md, section 21
 */
export async function beginDrain(node: GraphNode): Promise<void> {
  node.quiesceCount++
  for (const edge of node.parents) {
    if (edge.parent.node !== undefined) await beginDrain(edge.parent.node)
    else await edge.parent.quiesce?.()
  }
  await node.tracked.idle()
}

/** Ends a drained section; users go on with what they queued. */
export function endDrain(node: GraphNode): void {
  node.quiesceCount--
  for (const edge of node.parents) {
    if (edge.parent.node !== undefined) endDrain(edge.parent.node)
    else edge.parent.unquiesce?.()
  }
}

/** Runs `section` with `node` drained. */
export async function drained<T>(node: GraphNode, section: () => Promise<T>): Promise<T> {
  await beginDrain(node)
  try {
    return await section()
  } finally {
    endDrain(node)
  }
}
