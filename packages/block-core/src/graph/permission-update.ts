/** Carries permissions from users down to the storage, as a whole or not at all. */

import type { BlockLayer } from '../driver/block-layer.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { checkPermissionConflicts, childPermissions, type PermissionSet, Permissions } from '../node/permissions.ts'
import { type GraphTransaction, inTransaction } from './transaction.ts'

/** All that users take of a node, and what every one of them shares. */
export function cumulativePermissions(node: GraphNode): PermissionSet {
  let taken = 0
  let shared: number = Permissions.all
  for (const { permissions } of node.parents) {
    taken |= permissions.taken
    shared &= permissions.shared
  }
  return { taken, shared }
}

/** What `edge`'s parent node needs of the child below, by its role and by what its own users take. */
export function neededBy(parent: GraphNode, edge: NodeEdge): PermissionSet {
  const users = cumulativePermissions(parent)
  const set = childPermissions(edge.role, users, {
    writable: !parent.readOnly,
    noIo: parent.flags.noIo,
    forceShare: edge.node.flags.forceShare,
  })
  return parent.liveLayer?.childPermissions?.(edge.name, set, users) ?? set
}

/** Whether `edge` lets its parent change what the node below holds. */
export function mayWrite(edge: NodeEdge): boolean {
  return (edge.permissions.taken & (Permissions.write | Permissions.writeUnchanged)) !== 0
}

/**
 * Applies new permissions of one edge, and all that follows from them below. Giving permissions back never fails: see
 * `giveBack`.
 *
 * @throws BlockError with the conflict, read-only or lock message; nothing has changed then
 * @see spec/block-layer.md, section 11
 */
export function setEdgePermissions(edge: NodeEdge, permissions: PermissionSet): void {
  const { taken, shared } = edge.permissions
  const change = () => inTransaction((transaction) => changePermissions(transaction, edge, permissions))
  if ((permissions.taken & ~taken) !== 0 || (shared & ~permissions.shared) !== 0) change()
  else giveBack(change)
}

/**
 * Runs a change that only takes less and shares more. Where the rules do not allow what would be left (a length between
 * two blocks, and a writer who may not resize), everything stays held: more than is needed harms nobody's data.
 */
export function giveBack(change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!(error instanceof BlockError && error.code === 'EPERM')) throw error
  }
}

/**
 * As `setEdgePermissions`, as a part of a larger change.
 *
 * @throws BlockError as `setEdgePermissions`; the caller rolls back
 */
export function changePermissions(transaction: GraphTransaction, edge: NodeEdge, permissions: PermissionSet): void {
  new PermissionUpdate(transaction).run([edge.node], (update) => update.change(edge, permissions))
}

/**
 * Computes what nodes need of their children again, after one was reopened, users were moved or a layer changed.
 *
 * @throws BlockError as `setEdgePermissions`; nothing has changed then
 */
export function refreshPermissions(...nodes: readonly GraphNode[]): void {
  inTransaction((transaction) => updatePermissions(transaction, nodes))
}

/**
 * As `refreshPermissions`, as a part of a larger change.
 *
 * @throws BlockError as `setEdgePermissions`; the caller rolls back
 */
export function updatePermissions(transaction: GraphTransaction, nodes: Iterable<GraphNode>): void {
  new PermissionUpdate(transaction).run([...nodes], () => {})
}

/** One change of the graph's permissions. */
class PermissionUpdate {
  readonly #transaction: GraphTransaction
  /** Nodes whose users changed. */
  readonly #touched = new Set<GraphNode>()

  constructor(transaction: GraphTransaction) {
    this.#transaction = transaction
  }

  run(roots: readonly GraphNode[], prepare: (update: PermissionUpdate) => void): void {
    prepare(this)
    for (const node of roots) this.#touched.add(node)
    // A node's users stand before it: it is looked at once, when all of them have their new permissions.
    for (const node of parentsFirst(roots)) if (this.#touched.has(node)) this.#refresh(node)
  }

  change(edge: NodeEdge, permissions: PermissionSet): void {
    const old = edge.permissions
    if (old.taken === permissions.taken && old.shared === permissions.shared) return
    edge.permissions = permissions
    this.#touched.add(edge.node)
    this.#transaction.undoWith(() => {
      edge.permissions = old
    })
  }

  #refresh(node: GraphNode): void {
    // The newest user comes first, also in the message of a conflict.
    const users = [...node.parents].reverse().map((edge) => ({
      ...edge.permissions,
      description: edge.parent.description,
      childName: edge.name,
    }))
    checkPermissionConflicts(node.nodeName, users)
    const own = cumulativePermissions(node)
    checkNode(node, own.taken, this.#transaction.turningReadOnly.has(node))
    this.#apply(node, own)
    for (const edge of node.edges.values()) this.change(edge, neededBy(node, edge))
  }

  #apply(node: GraphNode, own: PermissionSet): void {
    const layer = node.liveLayer
    if (layer?.setPermissions === undefined) return
    const old = node.appliedPermissions
    if (old !== undefined && old.taken === own.taken && old.shared === own.shared) return
    // Locks that others could snatch meanwhile are only let go of when the whole change holds: going back never fails.
    const isStorage = node.edges.size === 0
    const first = isStorage && old !== undefined ? strictest(old, own) : own
    this.#hold(node, layer, first)
    this.#transaction.undoWith(() => this.#hold(node, layer, old))
    if (first !== own) this.#transaction.settleWith(() => this.#holdNeeded(node, layer))
  }

  /** Not what was needed when the change began: users may have come since (a reopening takes its time). */
  #holdNeeded(node: GraphNode, layer: BlockLayer): void {
    if (node.liveLayer === layer) this.#hold(node, layer, cumulativePermissions(node))
  }

  #hold(node: GraphNode, layer: BlockLayer, permissions: PermissionSet | undefined): void {
    layer.setPermissions?.(permissions ?? { taken: 0, shared: Permissions.all })
    node.appliedPermissions = permissions
  }
}

/** `b`, or what satisfies both where `a` has something that `b` has not. */
function strictest(a: PermissionSet, b: PermissionSet): PermissionSet {
  const both = { taken: a.taken | b.taken, shared: a.shared & b.shared }
  return both.taken === b.taken && both.shared === b.shared ? b : both
}

/** The node's own rules. @throws BlockError `EPERM` */
function checkNode(node: GraphNode, taken: number, turnsReadOnly: boolean): void {
  if ((taken & (Permissions.write | Permissions.writeUnchanged)) === 0) return
  if (turnsReadOnly) {
    throw new BlockError('EPERM', `Read-only block node '${node.nodeName}' cannot support read-write users`)
  }
  if (node.readOnly) throw new BlockError('EPERM', 'Block node is read-only')
  if ((taken & Permissions.resize) !== 0 || node.liveLayer === undefined) return
  if (node.length % node.limits.requestAlignment !== 0) {
    // The last block would be written whole, past the end.
    const text = "Cannot get 'write' permission without 'resize': Image size is not a multiple of request alignment"
    throw new BlockError('EPERM', text)
  }
}

/** `roots` and all below them, every node after all of its parents that are among them. */
function parentsFirst(roots: readonly GraphNode[]): readonly GraphNode[] {
  const seen = new Set<GraphNode>()
  const order: GraphNode[] = []
  const visit = (node: GraphNode): void => {
    if (seen.has(node)) return
    seen.add(node)
    for (const edge of node.edges.values()) visit(edge.node)
    order.push(node)
  }
  for (const root of roots) visit(root)
  return order.reverse()
}
