/** Gives an open node one more child, or takes one away (QEMU: `x-blockdev-change`). */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { detach } from './attach.ts'
import { drained } from './drain.ts'
import type { GraphCore } from './graph-core.ts'

/**
 * Makes `child` one of `parent`'s children, under running I/O.
 *
 * @returns the name of the child
 * @throws BlockError `EINVAL` with the reference's words where the parent takes none, or the child has a parent; for a
 *   cycle or a permission conflict; nothing has changed then
 * @see spec/qmp-storage-daemon.md, x-blockdev-change
 */
export async function addChild(parent: GraphNode, child: GraphNode): Promise<string> {
  const list = parent.layer.childList
  if (list === undefined) {
    throw new BlockError('EINVAL', `The node ${parent.nodeName} does not support adding a child`)
  }
  if (child.parents.size > 0) throw new BlockError('EINVAL', `The node ${child.nodeName} already has a parent`)
  return drained([parent, child], () => list.add(child))
}

/**
 * Takes a child away from `parent`, under running I/O; it is flushed, and closed if nobody else holds it.
 *
 * @throws BlockError `EINVAL` with the reference's words where there is no such child, or the parent cannot do without;
 *   nothing has changed then. What flushing or closing it met, when it is gone
 * @see spec/qmp-storage-daemon.md, x-blockdev-change
 */
export async function removeChild(core: GraphCore, parent: GraphNode, name: string): Promise<void> {
  const edge = parent.edges.get(name)
  if (edge === undefined) {
    throw new BlockError('EINVAL', `Node '${parent.nodeName}' does not have child '${name}'`)
  }
  const list = parent.layer.childList
  if (list === undefined) {
    throw new BlockError('EINVAL', `The node ${parent.nodeName} does not support removing a child`)
  }
  await drained([parent, edge.node], async () => {
    list.remove(name)
    try {
      await detach(core, edge)
    } finally {
      parent.refreshLimits()
    }
  })
}
