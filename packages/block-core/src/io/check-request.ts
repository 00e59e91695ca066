/** The checks every request passes before anything else happens. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { requestBytesMax } from '../node/limits.ts'

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

/** @throws BlockError `EPERM` on a read-only node, `ENOTSUP` where the driver cannot write */
export function checkWritable(node: GraphNode): void {
  if (node.readOnly) throw BlockError.fromErrno('EPERM')
  if (node.layer.writer === undefined) throw BlockError.fromErrno('ENOTSUP')
}
