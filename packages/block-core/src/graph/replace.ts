/** Puts a node in another one's place, and keeps others from doing so while a job relies on the chain. */

import { assert, BlockError } from '../errors.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { moveEdge, reaches } from './edge-steps.ts'
import { updatePermissions } from './permission-update.ts'
import { type GraphTransaction, inTransaction } from './transaction.ts'

/**
 * Moves the users of `from` to `to`; a user that would then be its own descendant stays. A node that is left without
 * users stays open until the graph is closed, or until who held it meanwhile lets go.
 *
 * @param moves - which edges are to move; default: all but those of jobs
 * @throws BlockError `EPERM` for a frozen edge, or where the permissions cannot be had, `ENOMEDIUM` where one of the
 *   two is being closed; nothing has moved then
 * @see spec/block-layer.md, section 29, replace_node
 */
export function replaceNode(from: GraphNode, to: GraphNode, moves: (edge: NodeEdge) => boolean = follows): void {
  inTransaction((transaction) => {
    moveParents(transaction, from, to, moves)
    updatePermissions(transaction, [from, to])
  })
}

/** The moving alone, as a part of a larger change. @throws BlockError as `replaceNode`; the caller rolls back */
export function moveParents(
  transaction: GraphTransaction,
  from: GraphNode,
  to: GraphNode,
  moves: (edge: NodeEdge) => boolean = follows,
): void {
  // Who closes it takes the last edge along, wherever that leads.
  if (from.closing) throw BlockError.fromErrno('ENOMEDIUM')
  const edges = [...from.parents].filter((edge) => moves(edge) && !wouldLoop(edge, to))
  for (const edge of edges) {
    if (edge.frozen) throw new BlockError('EPERM', `Cannot change '${edge.name}' link to '${from.nodeName}'`)
  }
  for (const edge of edges) moveEdge(transaction, edge, to)
  // Also where there is nobody to move: nothing may come to stand on it.
  if (to.closing) throw BlockError.fromErrno('ENOMEDIUM')
}

function follows(edge: NodeEdge): boolean {
  return edge.parent.isJob !== true
}

function wouldLoop(edge: NodeEdge, to: GraphNode): boolean {
  const parent = edge.parent.node
  return parent !== undefined && reaches(to, parent)
}

/**
 * Freezes the links from `top` down to `base`, so that no one takes the chain apart.
 *
 * @param base - `top`, or below it
 * @returns what undoes it, once
 * @throws BlockError `EPERM` where a link is frozen already, or leads to a node that must stay replaceable
 * @see spec/block-layer.md, section 26
 */
export function freezeChain(top: GraphNode, base: GraphNode): () => void {
  const edges: NodeEdge[] = []
  for (let at = top; at !== base; ) {
    const edge = at.chainEdge
    assert(edge !== undefined, `node '${base.nodeName}' is not below '${top.nodeName}'`)
    if (edge.frozen) {
      const text = `Cannot change '${edge.name}' link from '${at.nodeName}' to '${edge.node.nodeName}'`
      throw new BlockError('EPERM', text)
    }
    if (edge.node.neverFreeze) {
      throw new BlockError('EPERM', `Cannot freeze '${edge.name}' link to '${edge.node.nodeName}'`)
    }
    edges.push(edge)
    at = edge.node
  }
  for (const edge of edges) edge.frozen = true
  // Ended twice, it must not end what somebody else began meanwhile.
  return () => {
    for (const edge of edges.splice(0)) edge.frozen = false
  }
}
