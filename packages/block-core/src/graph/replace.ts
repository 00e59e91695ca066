/** Puts a node in another one's place, and keeps others from doing so while a job relies on the chain. */

import { BlockError } from '../errors.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { chainContains } from './backing-chain.ts'
import { refreshPermissions } from './permission-update.ts'

/**
 * Moves the users of `from` to `to`; a user that would then be its own descendant stays.
 *
 * @param moves - which edges are to move; default: all
 * @throws BlockError `EPERM` for a frozen edge, or where the permissions cannot be had; nothing has moved then
 * @see spec/block-layer.md, section 29, replace_node
 */
export function replaceNode(from: GraphNode, to: GraphNode, moves: (edge: NodeEdge) => boolean = () => true): void {
  const edges = [...from.parents].filter((edge) => moves(edge) && !wouldLoop(edge, to))
  for (const edge of edges) {
    if (edge.frozen) throw new BlockError('EPERM', `Cannot change '${edge.name}' link to '${from.nodeName}'`)
  }
  for (const edge of edges) edge.move(to)
  try {
    refreshPermissions(to)
    refreshPermissions(from)
  } catch (error) {
    for (const edge of edges) edge.move(from)
    refreshPermissions(from)
    refreshPermissions(to)
    throw error
  }
}

function wouldLoop(edge: NodeEdge, to: GraphNode): boolean {
  const parent = edge.parent.node
  return parent !== undefined && (parent === to || chainContains(to, parent))
}

/**
 * Freezes the links from `top` down to `base`, so that no one takes the chain apart.
 *
 * @returns what undoes it
 * @throws BlockError `EPERM` where a link is frozen already
 * @see spec/block-layer.md, section 26
 */
export function freezeChain(top: GraphNode, base: GraphNode): () => void {
  const edges: NodeEdge[] = []
  for (let at = top; at !== base; ) {
    const edge = at.chainEdge
    if (edge === undefined) break
    if (edge.frozen) {
      const text = `Cannot change '${edge.name}' link from '${at.nodeName}' to '${edge.node.nodeName}'`
      throw new BlockError('EPERM', text)
    }
    edges.push(edge)
    at = edge.node
  }
  for (const edge of edges) edge.frozen = true
  return () => {
    for (const edge of edges) edge.frozen = false
  }
}
