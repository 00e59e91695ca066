/** The checks every request passes before anything else happens. */

import { assert, BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { requestBytesMax } from '../node/limits.ts'
import { Permissions, permissionNames } from '../node/permissions.ts'

/** End of the largest range guest I/O can address: beyond it a `number` cannot count bytes. */
export const offsetMax: number = Number.MAX_SAFE_INTEGER

/**
 * @throws BlockError `EIO` for a negative or fractional range, `EFBIG` for one that ends past 2^53
 */
export function checkRange(offset: number, bytes: number): void {
  if (!(offset >= 0 && bytes >= 0)) throw BlockError.fromErrno('EIO')
  if (offset + bytes > offsetMax) throw BlockError.fromErrno('EFBIG')
  if (!Number.isInteger(offset) || !Number.isInteger(bytes)) throw BlockError.fromErrno('EIO')
}

/**
 * For reads and data writes; zero writes and discards may be longer.
 *
 * @throws BlockError as `checkRange`, and `EIO` for more than 2147483136 bytes
 */
export function checkTransfer(offset: number, bytes: number): void {
  checkRange(offset, bytes)
  if (bytes > requestBytesMax) throw BlockError.fromErrno('EIO')
}

/**
 * @throws BlockError `EPERM` on a read-only node, or where a bitmap could not record the write; `ENOTSUP` where the
 *   driver cannot write
 */
export function checkWritable(node: GraphNode): void {
  if (node.readOnly) throw BlockError.fromErrno('EPERM')
  checkBitmaps(node)
  if (node.layer.writer === undefined) throw BlockError.fromErrno('ENOTSUP')
}

/** @throws BlockError `EPERM` where a bitmap of the node cannot be changed: it would miss the write */
export function checkBitmaps(node: GraphNode): void {
  if (node.dirtyBitmaps.size === 0) return
  for (const bitmap of node.dirtyBitmaps) if (isReadOnly(bitmap)) throw BlockError.fromErrno('EPERM')
}

function isReadOnly(bitmap: object): boolean {
  return 'readOnly' in bitmap && bitmap.readOnly === true
}

/** What a request of a node's user needs, as far as the user's permissions go. */
export interface NeededPermissions {
  /** Any one of these bits is enough. */
  readonly bits: number
  /** End of the write in bytes: beyond the node's last sector it also takes the permission to resize. */
  readonly end?: number
}

/** A user who is not a backend asks for what it has not taken: that is a bug of its driver. */
export function assertPermitted(
  edge: { readonly name: string; readonly node: GraphNode; readonly permissions: { readonly taken: number } },
  needed: NeededPermissions,
): void {
  const { taken } = edge.permissions
  const missing = missingPermissions(edge.node, taken, needed)
  assert(
    missing === 0,
    `the '${edge.name}' edge to '${edge.node.nodeName}' has no '${permissionNames(missing)}' permission`,
  )
}

/** Bits that a request needs and `taken` does not have. */
export function missingPermissions(node: GraphNode, taken: number, needed: NeededPermissions): number {
  if ((taken & needed.bits) === 0) return needed.bits
  const grows = needed.end !== undefined && (taken & Permissions.resize) === 0 && needed.end > node.length
  return grows ? Permissions.resize : 0
}
