/** Puts edges into the graph and takes them out; a node that nobody uses any more is closed. */

import type { ChildRole } from '../driver/child.ts'
import { assert } from '../errors.ts'
import { flushNode } from '../io/flush.ts'
import { Edge } from '../node/edge.ts'
import type { EdgeParent, GraphNode, NodeEdge } from '../node/graph-node.ts'
import type { PermissionSet } from '../node/permissions.ts'
import { subtree } from './drain.ts'
import { linkEdge, refuseCycle } from './edge-steps.ts'
import { Failures } from './failures.ts'
import type { GraphCore } from './graph-core.ts'
import { changePermissions, giveBack, mayWrite, neededBy, refreshPermissions } from './permission-update.ts'
import { reopening } from './reopen-turn.ts'
import { inTransaction } from './transaction.ts'

/**
 * Makes `child` a child of a backend or a job.
 *
 * @throws BlockError where the permissions cannot be had, `ENOMEDIUM` for a node that is being closed; no edge is left
 */
export function attachUser(parent: EdgeParent, name: string, child: GraphNode, permissions: PermissionSet): Edge {
  return inTransaction((transaction) => {
    const edge = new Edge(name, 0, parent, child)
    linkEdge(transaction, edge)
    changePermissions(transaction, edge, permissions)
    return edge
  })
}

/**
 * Makes `child` a child of `parent` under `name`.
 *
 * @throws BlockError `EINVAL` for a cycle, or where the permissions cannot be had, `ENOMEDIUM` for a node that is being
 *   closed; no edge is left then
 */
export function attachChild(parent: GraphNode, name: string, role: ChildRole, child: GraphNode): Edge {
  assert(!parent.edges.has(name), `node '${parent.nodeName}' has a ${name} child already`)
  refuseCycle(parent, name, child)
  return inTransaction((transaction) => {
    const edge = new Edge(name, role, { description: `node '${parent.nodeName}'`, node: parent }, child)
    linkEdge(transaction, edge)
    changePermissions(transaction, edge, neededBy(parent, edge))
    return edge
  })
}

/**
 * Takes an edge out, and closes what it was the last user of.
 *
 * @throws what flushing or closing met, when all is done
 */
export async function detach(core: GraphCore, edge: NodeEdge): Promise<void> {
  const failures = new Failures()
  let flushed: GraphNode | undefined
  for (;;) {
    const busy = reopening(subtree(edge.node))
    const { node } = edge
    if (busy !== undefined) {
      await busy
    } else if (!node.parents.has(edge) || node.closing) {
      // Somebody else has taken it out, or is about to.
      break
    } else if (node !== flushed && leavesData(edge)) {
      // Others work meanwhile: the edge may be moved, and then there is the next node to be flushed.
      await failures.attempt(() => flushNode(node))
      flushed = node
    } else {
      await failures.attempt(() => letGo(core, edge))
      break
    }
  }
  failures.throwFirst(core)
}

/** A writer that leaves may leave data behind, and who stays may not be allowed to flush it. */
function leavesData(edge: NodeEdge): boolean {
  const { node } = edge
  return (node.parents.size > 1 || node.owned) && mayWrite(edge) && node.liveLayer !== undefined
}

/** Synchronous up to where the node is closing, or has one user less. */
async function letGo(core: GraphCore, edge: NodeEdge): Promise<void> {
  const { node } = edge
  if (node.parents.size === 1 && !node.owned) return closeNode(core, node, edge)
  removeEdge(edge)
  giveBack(() => refreshPermissions(node))
}

function removeEdge(edge: NodeEdge): void {
  const { parent } = edge
  edge.node.parents.delete(edge)
  if (parent.node?.edges.get(edge.name) === edge) parent.node.edges.delete(edge.name)
}

/**
 * Closes a node that has no users (but `last`, which goes with it): flush, driver, children from the first on.
 *
 * @throws what the flush or a close met, when all is done
 */
export async function closeNode(core: GraphCore, node: GraphNode, last?: NodeEdge): Promise<void> {
  const failures = new Failures()
  node.closing = true
  core.forget(node)
  await node.tracked.idle()
  const layer = node.liveLayer
  if (layer !== undefined) {
    await failures.attempt(() => flushNode(node))
    await failures.attempt(() => layer.close())
  }
  node.setLayer(undefined)
  if (last !== undefined) removeEdge(last)
  for (const edge of [...node.edges.values()]) await failures.attempt(() => detach(core, edge))
  failures.throwFirst(core)
}

/** Closes a node that nobody took, after a failure that the caller reports; what closing meets becomes a diagnostic. */
export async function closeUnused(core: GraphCore, node: GraphNode): Promise<void> {
  for (let busy = reopening(subtree(node)); busy !== undefined; busy = reopening(subtree(node))) await busy
  if (node.parents.size > 0 || node.owned || node.closing) return
  const failures = new Failures()
  await failures.attempt(() => closeNode(core, node))
  failures.report(core)
}
