/** Changes which node an open image has for its backing file. */

import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { setChild } from './edge-steps.ts'
import type { GraphTransaction } from './transaction.ts'

/**
 * Gives `overlay` another backing file, a first one, or none, as a part of a change. Permissions are the caller's.
 *
 * @returns tells the driver; to be called when the change holds, while all users are still stopped
 * @throws BlockError `EINVAL` where the driver has no backing files, or for a cycle; `ENOMEDIUM` `Node corrupted`;
 *   `EPERM` for a frozen link
 */
export function setBackingIn(
  transaction: GraphTransaction,
  overlay: GraphNode,
  backing: GraphNode | undefined,
): () => void {
  const { driver, nodeName } = overlay
  // A driver that has its backing file from its open, and cannot be told of another, would go on as it was.
  const keeps = overlay.liveLayer !== undefined && overlay.liveLayer.backingChanged === undefined
  const isMove = overlay.backingEdge !== undefined && backing !== undefined
  if (driver.supportsBacking !== true || (keeps && !isMove)) {
    throw new BlockError('EINVAL', `Driver '${driver.formatName}' of node '${nodeName}' does not support backing files`)
  }
  if (overlay.liveLayer === undefined) throw new BlockError('ENOMEDIUM', 'Node corrupted')
  const before = overlay.backingEdge
  const edge = setChild(transaction, overlay, { name: before?.name ?? 'backing', role: ChildRoles.cow }, backing)
  // The driver's own edge leads to the new node already.
  if (edge === before) return () => {}
  return () => overlay.liveLayer?.backingChanged?.(edge)
}
