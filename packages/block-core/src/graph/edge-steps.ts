/** The steps every change of the graph is made of: an edge comes, goes, or gets another node below it. */

import type { ChildRole } from '../driver/child.ts'
import { assert, BlockError } from '../errors.ts'
import { Edge } from '../node/edge.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import type { GraphTransaction } from './transaction.ts'

/**
 * Puts an edge into the graph; its permissions are the caller's business.
 *
 * @throws BlockError `ENOMEDIUM` for a node that is being closed, at either end
 */
export function linkEdge(transaction: GraphTransaction, edge: NodeEdge): void {
  const { node: child, parent } = edge
  refuseClosing(child)
  // Its driver has been closed, or will be without another look at its children.
  if (parent.node !== undefined) refuseClosing(parent.node)
  child.parents.add(edge)
  parent.node?.edges.set(edge.name, edge)
  refreshLimitsFrom(parent.node)
  transaction.undoWith(() => {
    child.parents.delete(edge)
    parent.node?.edges.delete(edge.name)
    refreshLimitsFrom(parent.node)
  })
  // Not before the change holds: a user that came to nothing would be stopped until the section ends.
  transaction.settleWith(() => {
    for (const drain of child.drains) drain.join(parent)
  })
}

/** Takes an edge out of the graph. Who holds it can still use it, as a driver does that is closing. */
export function unlinkEdge(transaction: GraphTransaction, edge: NodeEdge): void {
  const { node: child, parent } = edge
  const [parents, edges] = [[...child.parents], [...(parent.node?.edges ?? [])]]
  child.parents.delete(edge)
  parent.node?.edges.delete(edge.name)
  refreshLimitsFrom(parent.node)
  // The order is part of what is given back: it decides which conflict is told, and which child is asked first.
  transaction.undoWith(() => {
    giveOrder(child.parents, parents, edge)
    if (parent.node !== undefined) giveNames(parent.node.edges, edges, edge)
    refreshLimitsFrom(parent.node)
  })
}

/**
 * Points an edge at another node.
 *
 * @throws BlockError `ENOMEDIUM` for a node that is being closed
 */
export function moveEdge(transaction: GraphTransaction, edge: NodeEdge, to: GraphNode): void {
  const from = edge.node
  if (from === to) return
  refuseClosing(to)
  const parents = [...from.parents]
  edge.move(to)
  refreshLimitsFrom(edge.parent.node)
  transaction.undoWith(() => {
    edge.move(from)
    giveOrder(from.parents, parents, edge)
    refreshLimitsFrom(edge.parent.node)
  })
}

/** Puts `own` back where it was. Other edges have come or gone since: a reopening keeps its change open for long. */
function giveOrder(edges: Set<NodeEdge>, before: readonly NodeEdge[], own: NodeEdge): void {
  const now = [...edges]
  edges.clear()
  for (const each of before) if (each === own || now.includes(each)) edges.add(each)
  for (const each of now) edges.add(each)
}

/** As `giveOrder`, for the children of a node. */
function giveNames(
  edges: Map<string, NodeEdge>,
  before: readonly (readonly [string, NodeEdge])[],
  own: NodeEdge,
): void {
  const now = new Map(edges)
  edges.clear()
  for (const [name, each] of before) if (each === own || now.get(name) === each) edges.set(name, each)
  for (const [name, each] of now) edges.set(name, each)
}

/** @throws BlockError `EINVAL` where `child` is `parent` or stands above it */
export function refuseCycle(parent: GraphNode, name: string, child: GraphNode): void {
  if (!reaches(child, parent)) return
  const text = `Making '${child.nodeName}' a ${name} child of '${parent.nodeName}' would create a cycle`
  throw new BlockError('EINVAL', text)
}

/** Whether `to` is `from` or stands below it, through whatever children. */
export function reaches(from: GraphNode, to: GraphNode): boolean {
  if (from === to) return true
  for (const edge of from.edges.values()) if (reaches(edge.node, to)) return true
  return false
}

/**
 * Gives `parent` another child under `name`, a first one, or none. The permissions of `parent`, and of the nodes that
 * lost or won it, are to be computed again by the caller.
 *
 * @returns the edge; `undefined` where there is none any more
 * @throws BlockError `EINVAL` for a cycle, `EPERM` for a frozen edge
 */
export function setChild(
  transaction: GraphTransaction,
  parent: GraphNode,
  { name, role }: { readonly name: string; readonly role: ChildRole },
  child: GraphNode | undefined,
): Edge | undefined {
  const edge = parent.edges.get(name)
  assert(edge === undefined || edge instanceof Edge, 'all edges from nodes are made by the graph')
  if (edge?.node === child) return edge
  if (edge !== undefined) refuseFrozen(edge)
  if (child !== undefined) refuseCycle(parent, name, child)
  if (edge !== undefined) forgetOrigin(transaction, edge)
  if (edge !== undefined && child !== undefined) {
    moveEdge(transaction, edge, child)
    return edge
  }
  if (edge !== undefined) unlinkEdge(transaction, edge)
  if (child === undefined) return undefined
  const first = new Edge(name, role, { description: `node '${parent.nodeName}'`, node: parent }, child)
  linkEdge(transaction, first)
  return first
}

/** @throws BlockError `EPERM` for a frozen edge */
export function refuseFrozen(edge: NodeEdge): void {
  if (!edge.frozen) return
  const parent = edge.parent.node?.nodeName ?? edge.parent.description
  throw new BlockError('EPERM', `Cannot change frozen '${edge.name}' link from '${parent}' to '${edge.node.nodeName}'`)
}

/** A node that its opener gives up is nobody's inline child any more: it keeps its options when that one is reopened. */
function forgetOrigin(transaction: GraphTransaction, { node, parent }: NodeEdge): void {
  const origin = node.inheritsFrom
  if (origin === undefined || origin !== parent.node) return
  node.inheritsFrom = undefined
  transaction.undoWith(() => {
    node.inheritsFrom = origin
  })
}

function refuseClosing(node: GraphNode): void {
  if (node.closing) throw BlockError.fromErrno('ENOMEDIUM')
}

/** Limits of a child bound the requests of everybody above it. */
export function refreshLimitsFrom(node: GraphNode | undefined): void {
  if (node === undefined) return
  node.refreshLimits()
  for (const { parent } of node.parents) refreshLimitsFrom(parent.node)
}
