/** Changes of an open graph under running I/O: users are stopped, nothing is half done, and nothing is lost. */

import type { NodeSpec } from '../driver/block-driver.ts'
import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import { flushNode } from '../io/flush.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { Permissions } from '../node/permissions.ts'
import type { FlatOptions } from '../options/schema.ts'
import { addNode } from './add-node.ts'
import { closeNode, closeUnused } from './attach.ts'
import { setBackingIn } from './backing-link.ts'
import { drained } from './drain.ts'
import { reaches, refuseFrozen, unlinkEdge } from './edge-steps.ts'
import { Failures } from './failures.ts'
import type { GraphCore } from './graph-core.ts'
import { cumulativePermissions, mayWrite, updatePermissions } from './permission-update.ts'
import { betweenReopenings } from './reopen-turn.ts'
import { moveParents } from './replace.ts'
import { type GraphTransaction, inTransaction } from './transaction.ts'

/**
 * Puts `to` in the place of `from`: all users of `from` go on with `to`, jobs and `to`'s own chain excepted. `from` is
 * closed if nobody is left who holds it.
 *
 * @throws BlockError as moving users does; nothing has changed then
 * @see spec/block-layer.md, section 29, replace_node
 */
export async function replaceDrained(core: GraphCore, from: GraphNode, to: GraphNode): Promise<void> {
  await drained([from, to], async () => {
    await settleData(from)
    await changed([from, to], (transaction) => {
      moveParents(transaction, from, to)
      updatePermissions(transaction, [from, to])
    })
  })
  if (from !== to) await closeUnused(core, from)
}

/**
 * Puts `newTop` above `top`, which becomes its backing file; all other users of `top` go on with `newTop`.
 *
 * @throws BlockError `EINVAL` with the reference's words where `newTop` cannot be an overlay; as moving users does
 * @see spec/block-layer.md, section 29, append
 */
export async function appendNode(newTop: GraphNode, top: GraphNode): Promise<void> {
  await drained([newTop, top], async () => {
    await settleData(top)
    await changed([newTop, top], (transaction) => {
      refuseOverlay(newTop)
      const tell = setBackingIn(transaction, newTop, top)
      moveParents(transaction, top, newTop, (edge) => edge.parent.isJob !== true && edge.parent.node !== newTop)
      updatePermissions(transaction, [newTop, top])
      transaction.settleWith(tell)
    })
  })
}

function refuseOverlay(node: GraphNode): void {
  if ((cumulativePermissions(node).taken & Permissions.consistentRead) !== 0) {
    throw new BlockError('EINVAL', 'The overlay is already in use')
  }
  if (node.isFilter) throw new BlockError('EINVAL', 'Filters cannot be used as overlays')
  if (node.backingEdge !== undefined) throw new BlockError('EINVAL', 'The overlay already has a backing image')
  if (node.driver.supportsBacking !== true) {
    throw new BlockError('EINVAL', 'The overlay does not support backing images')
  }
}

/**
 * Gives `node` another backing file, or none. What the image itself records stays as it is.
 *
 * @throws BlockError `EINVAL` for a driver without backing files or a cycle, `EPERM` for a frozen link, `ENOMEDIUM`
 *   `Node corrupted`; nothing has changed then
 * @see spec/block-layer.md, section 29, set backing
 */
export async function setBacking(core: GraphCore, node: GraphNode, backing: GraphNode | null): Promise<void> {
  const found = (...nodes: (GraphNode | null | undefined)[]) =>
    nodes.filter((each) => each !== undefined && each !== null)
  let old: GraphNode | undefined
  await drained(found(node, node.backingEdge?.node, backing), async () => {
    await changed(found(node, backing), (transaction) => {
      // Another one may have come in place of the one that was there.
      old = node.backingEdge?.node
      const tell = setBackingIn(transaction, node, backing ?? undefined)
      updatePermissions(transaction, found(node, old, backing))
      transaction.settleWith(tell)
    })
  })
  if (old !== undefined) await closeUnused(core, old)
}

/**
 * Opens a filter (or an overlay) that has `node` below it, and puts it between `node` and all its users.
 *
 * @param description - refers to `node`, by its name or as a value
 * @returns the filter; it stays open until `removeFilter` or `removeNode`
 * @throws BlockError as opening a node, after `Could not create node: `; as moving users, after `Could not replace node: `,
 *   and `EINVAL` for a description that does not lead to `node` (the reference lets users read something else then)
 * @see spec/block-layer.md, section 29, insert_node
 */
export async function insertFilter(
  core: GraphCore,
  node: GraphNode,
  description: FlatOptions | NodeSpec,
): Promise<GraphNode> {
  const filter = await prefixed('Could not create node: ', () => addNode(core, description))
  try {
    await prefixed('Could not replace node: ', () =>
      drained([node, filter], async () => {
        await changed([node, filter], (transaction) => {
          requireAbove(filter, node)
          moveParents(transaction, node, filter)
          updatePermissions(transaction, [filter, node])
        })
      }),
    )
  } catch (error) {
    filter.owned = false
    await closeUnused(core, filter)
    throw error
  }
  return filter
}

function requireAbove(filter: GraphNode, node: GraphNode): void {
  if (filter !== node && reaches(filter, node)) return
  throw new BlockError('EINVAL', `Node '${filter.nodeName}' does not have node '${node.nodeName}' below it`)
}

/**
 * Takes a filter out: its users go on with the node that it filters, its own link is cut, and it is closed.
 *
 * @throws BlockError `EINVAL` for a node that is no filter, `EPERM` for a frozen link; nothing has changed then. What
 *   closing met, when all is done
 * @see spec/block-layer.md, section 29, drop_filter
 */
export async function removeFilter(core: GraphCore, filter: GraphNode): Promise<void> {
  const failures = new Failures()
  let below = filteredChild(filter).node
  await drained([filter, below], async () => {
    await settleData(filter)
    await changed([filter, below], (transaction) => {
      if (filter.closing) throw BlockError.fromErrno('ENOMEDIUM')
      const edge = filteredChild(filter)
      refuseFrozen(edge)
      below = edge.node
      moveParents(transaction, filter, edge.node)
      unlinkEdge(transaction, edge)
      updatePermissions(transaction, [edge.node])
    })
    filter.owned = false
    // While everybody is stopped: a filter may put the file it wrote to in order when it closes.
    if (filter.parents.size === 0 && !filter.closing) await failures.attempt(() => closeNode(core, filter))
  })
  await closeUnused(core, below)
  failures.throwFirst(core)
}

function filteredChild(filter: GraphNode): NodeEdge {
  const edge = filter.isFilter ? filter.edgeWithRole(ChildRoles.filtered) : undefined
  if (edge === undefined) throw new BlockError('EINVAL', `Node '${filter.nodeName}' is not a filter`)
  return edge
}

/** Makes a change at once, but not between the steps of a reopening of `nodes`. */
function changed(nodes: readonly GraphNode[], change: (transaction: GraphTransaction) => void): Promise<void> {
  return betweenReopenings(
    () => nodes,
    () => inTransaction(change),
  )
}

/** Who goes on with another node cannot flush this one any more. */
async function settleData(node: GraphNode): Promise<void> {
  if (node.liveLayer !== undefined && !node.readOnly && [...node.parents].some(mayWrite)) await flushNode(node)
}

async function prefixed<T>(prefix: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(prefix) : error
  }
}
