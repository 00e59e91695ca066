/** Puts edges into the graph and takes them out; a node that nobody uses any more is closed. */

import type { ChildRole } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import { flushNode } from '../io/flush.ts'
import { Edge } from '../node/edge.ts'
import type { EdgeParent, GraphNode, NodeEdge } from '../node/graph-node.ts'
import type { PermissionSet } from '../node/permissions.ts'
import type { GraphCore } from './graph-core.ts'
import { neededBy, refreshPermissions, setEdgePermissions } from './permission-update.ts'

/**
 * Makes `child` a child of a backend or a job.
 *
 * @throws BlockError where the permissions cannot be had; no edge is left then
 */
export function attachUser(parent: EdgeParent, name: string, child: GraphNode, permissions: PermissionSet): Edge {
  const edge = new Edge(name, 0, parent, child)
  child.parents.add(edge)
  try {
    setEdgePermissions(edge, permissions)
  } catch (error) {
    child.parents.delete(edge)
    throw error
  }
  return edge
}

/**
 * Makes `child` a child of `parent` under `name`.
 *
 * @throws BlockError `EINVAL` for a cycle, or where the permissions cannot be had; no edge is left then
 */
export function attachChild(parent: GraphNode, name: string, role: ChildRole, child: GraphNode): Edge {
  if (child === parent || reaches(child, parent)) {
    const text = `Making '${child.nodeName}' a ${name} child of '${parent.nodeName}' would create a cycle`
    throw new BlockError('EINVAL', text)
  }
  const edge = new Edge(name, role, { description: `node '${parent.nodeName}'`, node: parent }, child)
  child.parents.add(edge)
  parent.edges.set(name, edge)
  try {
    setEdgePermissions(edge, neededBy(parent, edge))
  } catch (error) {
    parent.edges.delete(name)
    child.parents.delete(edge)
    throw error
  }
  return edge
}

function reaches(from: GraphNode, to: GraphNode): boolean {
  for (const edge of from.edges.values()) if (edge.node === to || reaches(edge.node, to)) return true
  return false
}

/** Takes an edge out, and closes what it was the last user of. Errors of closing are thrown when all is closed. */
export async function detach(core: GraphCore, edge: NodeEdge): Promise<void> {
  const { node } = edge
  // A writer that leaves may leave data behind: it must be on its way before the permission to write is gone.
  if (node.parents.size === 1) {
    await closeNode(core, node, edge)
    return
  }
  removeEdge(edge)
  refreshPermissions(node)
}

function removeEdge(edge: NodeEdge): void {
  edge.node.parents.delete(edge)
  edge.parent.node?.edges.delete(edge.name)
}

/** Closes a node that has no users (but `last`, which goes with it): flush, driver, children from the first on. */
export async function closeNode(core: GraphCore, node: GraphNode, last?: NodeEdge): Promise<void> {
  const errors: unknown[] = []
  await node.tracked.idle()
  const layer = node.liveLayer
  if (layer !== undefined) {
    await attempt(errors, () => flushNode(node))
    await attempt(errors, () => layer.close())
  }
  node.setLayer(undefined)
  if (last !== undefined) removeEdge(last)
  for (const edge of [...node.edges.values()]) await attempt(errors, () => detach(core, edge))
  core.nodes.delete(node.nodeName)
  if (errors.length > 0) throw errors[0]
}

async function attempt(errors: unknown[], step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    // Closing goes on, so that nothing stays open; the first failure is what the caller hears of.
    errors.push(error)
  }
}
