/** Stops requests at their sources and waits for those that are under way. */

import type { GraphNode } from '../node/graph-node.ts'

/**
 * Begins a drained section on `node`: its users issue no more requests, and none is in flight when this resolves.
 *
 * @returns what ends the section: users go on with what they queued, also those that meanwhile moved to another node
 * @see spec/block-layer.md, section 21
 */
export async function beginDrain(node: GraphNode): Promise<() => void> {
  const undo: (() => void)[] = []
  const end = () => {
    for (const step of undo.splice(0).reverse()) step()
  }
  try {
    await quiesce(node, undo)
  } catch (error) {
    end()
    throw error
  }
  return end
}

async function quiesce(node: GraphNode, undo: (() => void)[]): Promise<void> {
  node.quiesceCount++
  undo.push(() => {
    node.quiesceCount--
  })
  for (const { parent } of [...node.parents]) {
    if (parent.node !== undefined) {
      await quiesce(parent.node, undo)
      continue
    }
    undo.push(() => parent.unquiesce?.())
    await parent.quiesce?.()
  }
  await node.tracked.idle()
}

/** Runs `section` with `node` drained. */
export async function drained<T>(node: GraphNode, section: () => Promise<T>): Promise<T> {
  const end = await beginDrain(node)
  try {
    return await section()
  } finally {
    end()
  }
}
