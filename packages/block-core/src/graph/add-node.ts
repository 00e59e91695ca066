/** Nodes that somebody holds by their names: they come with a description, and go when they are told to. */

import type { NodeSpec } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import { closeNode } from './attach.ts'
import { subtree } from './drain.ts'
import type { GraphCore } from './graph-core.ts'
import { plainOpen } from './new-image.ts'
import { requireUnblocked } from './op-blockers.ts'
import { openNode } from './open-node.ts'
import { betweenReopenings } from './reopen-turn.ts'

/**
 * Opens a node that stays open until `removeNode`. What it opens inline stays with it; nodes that it refers to by their
 * names are shared.
 *
 * @throws BlockError `EINVAL` `'node-name' must be specified for the root node`, or as opening a node
 * @see spec/block-layer.md, section 1
 */
export async function addNode(core: GraphCore, description: FlatOptions | NodeSpec): Promise<GraphNode> {
  const flat = description instanceof Map ? new Map(description) : undefined
  const spec = flat === undefined ? (description as NodeSpec) : undefined
  const named = flat === undefined ? spec?.nodeName !== undefined : flat.has('node-name')
  if (flat !== undefined && !flat.has('driver')) throw new BlockError('EINVAL', "Parameter 'driver' is missing")
  if (!named) throw new BlockError('EINVAL', "'node-name' must be specified for the root node")
  const inherited = { ...plainOpen, protocol: false }
  const request = { inherited, overlays: [], ...(spec === undefined ? {} : { spec }) }
  const node = await openNode(core, flat === undefined ? request : { ...request, flat })
  node.owned = true
  return node
}

/**
 * Lets go of a node that `addNode` made, and closes it with what it had opened inline.
 *
 * @throws BlockError `ENOENT` where there is no such node; `EBUSY` where it is still in use; `EINVAL` where it is not
 *   held by its name; it stays as it was then. What closing met, when all is closed
 * @see spec/block-layer.md, section 29
 */
export async function removeNode(core: GraphCore, nodeName: string): Promise<void> {
  // Asked by its name after each wait: somebody else may have removed it meanwhile.
  const nodes = () => subtree(...[core.nodes.get(nodeName)].filter((node) => node !== undefined))
  await betweenReopenings(nodes, () => removeNow(core, nodeName))
}

async function removeNow(core: GraphCore, nodeName: string): Promise<void> {
  const node = core.nodes.get(nodeName)
  if (node === undefined || node.opening) {
    throw new BlockError('ENOENT', `Failed to find node with node-name='${nodeName}'`)
  }
  const users = [...node.parents]
  if (users.some((edge) => edge.parent.node === undefined && edge.parent.isJob !== true)) {
    throw new BlockError('EBUSY', `Node ${nodeName} is in use`)
  }
  requireUnblocked(node, 'drive-del')
  if (!node.owned) throw new BlockError('EINVAL', `Node ${nodeName} is not owned by the monitor`)
  if (users.length > 0) throw new BlockError('EBUSY', `Block device ${nodeName} is in use`)
  node.owned = false
  await closeNode(core, node)
}
