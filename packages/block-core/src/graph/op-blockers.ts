/** Keeps whole operations from a node while somebody relies on it: coarser than permissions, and known by their words. */

import { ChildRoles } from '../driver/child.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { type GraphNode, graphNode } from '../node/graph-node.ts'

/**
 * What can be kept from a node.
 *
 * @see QEMU 7.2 include/block/block-common.h: BlockOpType
 */
export const blockOperations = [
  'backup-source',
  'backup-target',
  'change',
  'commit-source',
  'commit-target',
  'dataplane',
  'drive-del',
  'eject',
  'external-snapshot',
  'internal-snapshot',
  'internal-snapshot-delete',
  'mirror-source',
  'mirror-target',
  'resize',
  'stream',
  'replace',
] as const

/** One of `blockOperations`. */
export type BlockOperation = (typeof blockOperations)[number]

/** What a backing file may be used for besides being one. */
const allowedOnBacking: readonly BlockOperation[] = ['commit-target', 'stream', 'backup-source', 'backup-target']

/**
 * Keeps operations from a node.
 *
 * @param reason - `block device is in use by block job: commit`
 * @param allowed - operations that stay possible; default none
 * @returns what ends it; calling it again does nothing
 */
export function blockOperationsOn(of: BlockNode, reason: string, allowed: readonly BlockOperation[] = []): () => void {
  const node = graphNode(of)
  const blockers = blockOperations
    .filter((operation) => !allowed.includes(operation))
    .map((operation) => ({ operation, reason }))
  node.opBlockers.unshift(...blockers)
  return () => {
    const rest = node.opBlockers.filter((blocker) => !blockers.includes(blocker as (typeof blockers)[number]))
    node.opBlockers.splice(0, node.opBlockers.length, ...rest)
  }
}

/**
 * Refuses an operation that somebody keeps from the node. A backing file keeps most of them by being one.
 *
 * @throws BlockError `EBUSY` `Node 'x' is busy: <reason>`, the newest reason first
 * @see spec/block-layer.md, section 26
 */
export function requireUnblocked(of: BlockNode, operation: BlockOperation): void {
  const node = graphNode(of)
  const reason = node.opBlockers.find((blocker) => blocker.operation === operation)?.reason
  const told = reason ?? (allowedOnBacking.includes(operation) ? undefined : backingReason(node))
  if (told !== undefined) throw new BlockError('EBUSY', `Node '${node.nodeName}' is busy: ${told}`)
}

function backingReason(node: GraphNode): string | undefined {
  for (const edge of [...node.parents].reverse()) {
    const overlay = edge.parent.node
    if (overlay === undefined || (edge.role & ChildRoles.cow) === 0) continue
    return `node is used as backing hd of '${deviceOrNodeName(overlay)}'`
  }
  return undefined
}

/** A node as messages call it: by the device that uses it, or by its own name. */
export function deviceOrNodeName(node: GraphNode): string {
  for (const { parent } of node.parents) if (parent.device !== undefined) return parent.device
  return node.nodeName
}
