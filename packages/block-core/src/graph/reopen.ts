/** Switches open nodes between read-only and writable, all of a tree or none of it. */

import { BlockError } from '../errors.ts'
import { ChildRoles } from '../driver/child.ts'
import { flushNode } from '../io/flush.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { refreshPermissions } from './permission-update.ts'

/**
 * Makes `node`, and the children that were opened with it, read-only or writable.
 *
 * @throws BlockError `EINVAL` where a driver cannot, `EACCES`, or the lock message; everything is as it was then
 * @see spec/block-layer.md, section 28
 */
export async function setReadOnly(node: GraphNode, readOnly: boolean): Promise<void> {
  if (node.readOnly === readOnly) return
  if (readOnly) await flushNode(node)
  const tree = reopenTree(node).filter((member) => member.readOnly !== readOnly)
  for (const member of tree) {
    if (member.layer.reopen === undefined) {
      const text = `Block format '${member.driverName}' used by node '${member.nodeName}' does not support reopening files`
      throw new BlockError('EINVAL', text)
    }
  }
  // Storage first when it is to be written, format first when it must stop writing.
  const order = readOnly ? tree : tree.reverse()
  const changed: GraphNode[] = []
  try {
    for (const member of order) {
      await member.layer.reopen?.({ readOnly })
      member.readOnly = readOnly
      changed.push(member)
    }
    refreshPermissions(node)
  } catch (error) {
    for (const member of changed.reverse()) {
      await member.layer.reopen?.({ readOnly: !readOnly })
      member.readOnly = !readOnly
    }
    throw error
  }
}

/** `node` and the children that follow it, parents before children. */
function reopenTree(node: GraphNode): GraphNode[] {
  const tree = [node]
  for (const edge of node.edges.values()) {
    if ((edge.role & ChildRoles.cow) !== 0) continue
    if (edge.node.inheritsFrom === node) tree.push(...reopenTree(edge.node))
  }
  return tree
}
