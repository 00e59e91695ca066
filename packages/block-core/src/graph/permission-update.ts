/** Carries permissions from users down to the storage, as a whole or not at all. */

import { BlockError, assert } from '../errors.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { checkPermissionConflicts, childPermissions, type PermissionSet, Permissions } from '../node/permissions.ts'

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
  const set = childPermissions(edge.role, cumulativePermissions(parent), {
    writable: !parent.readOnly,
    noIo: parent.flags.noIo,
    forceShare: parent.flags.forceShare,
  })
  return parent.liveLayer?.childPermissions?.(edge.name, set) ?? set
}

type Undo = () => void

/**
 * Applies new permissions of one edge, and all that follows from them below.
 *
 * @throws BlockError with the conflict, read-only or lock message; nothing has changed then
 * @see spec/block-layer.md, section 11
 */
export function setEdgePermissions(edge: NodeEdge, permissions: PermissionSet): void {
  const undo: Undo[] = []
  try {
    changeEdge(edge, permissions, undo)
    refreshNode(edge.node, undo)
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  }
}

/** Computes a node's needs of its children again, after it was reopened or its layer changed. */
export function refreshPermissions(node: GraphNode): void {
  const undo: Undo[] = []
  try {
    refreshNode(node, undo)
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  }
}

function changeEdge(edge: NodeEdge, permissions: PermissionSet, undo: Undo[]): void {
  const old = edge.permissions
  edge.permissions = permissions
  undo.push(() => {
    edge.permissions = old
  })
}

function refreshNode(node: GraphNode, undo: Undo[]): void {
  const users = [...node.parents].map((edge) => ({
    ...edge.permissions,
    description: edge.parent.description,
    childName: edge.name,
  }))
  checkPermissionConflicts(node.nodeName, users)
  const own = cumulativePermissions(node)
  const writes = (own.taken & (Permissions.write | Permissions.writeUnchanged)) !== 0
  if (writes && node.readOnly) throw new BlockError('EPERM', 'Block node is read-only')
  applyToLayer(node, own, undo)
  for (const edge of node.edges.values()) {
    const needed = neededBy(node, edge)
    if (needed.taken === edge.permissions.taken && needed.shared === edge.permissions.shared) continue
    changeEdge(edge, needed, undo)
    refreshNode(edge.node, undo)
  }
}

function applyToLayer(node: GraphNode, own: PermissionSet, undo: Undo[]): void {
  const layer = node.liveLayer
  if (layer?.setPermissions === undefined) return
  const old = node.appliedPermissions
  if (old !== undefined && old.taken === own.taken && old.shared === own.shared) return
  layer.setPermissions(own)
  node.appliedPermissions = own
  undo.push(() => {
    assert(layer.setPermissions !== undefined, 'a layer keeps its locks for life')
    layer.setPermissions(old ?? { taken: 0, shared: Permissions.all })
    node.appliedPermissions = old
  })
}
