/** The checks every request passes before anything else happens. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { requestBytesMax } from '../node/limits.ts'
import { Permissions } from '../node/permissions.ts'

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
  for (const bitmap of node.dirtyBitmaps) if (bitmap.readOnly) throw BlockError.fromErrno('EPERM')
}

/**
 * Bits that a request needs and its user has not taken; 0 where it may run.
 *
 * @param bits - any one of them is enough
 * @param end - where a write ends: beyond the node's last sector it also takes the permission to resize
 */
export function missingPermissions(node: GraphNode, taken: number, bits: number, end = 0): number {
  if ((taken & bits) === 0) return bits
  return (taken & Permissions.resize) === 0 && end > 0 && end > node.length ? Permissions.resize : 0
}
