/** Where machine state goes: to the first node that keeps any, from the user down. */

import type { SnapshotSupport } from '../driver/snapshot-support.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'

/**
 * The node's own support, or that of the next primary child that has it.
 *
 * @throws BlockError `ENOTSUP` where nothing below keeps machine state
 * @see QEMU 7.2 include/block/block-io.h: bdrv_co_readv_vmstate, bdrv_co_writev_vmstate
 */
export function vmStateSupport(top: GraphNode): Pick<SnapshotSupport, 'readVmState' | 'writeVmState'> {
  for (let node: GraphNode | undefined = top; node !== undefined; node = node.primaryEdge?.node) {
    const { snapshots } = node.layer
    if (snapshots !== undefined) return snapshots
  }
  throw BlockError.fromErrno('ENOTSUP')
}
