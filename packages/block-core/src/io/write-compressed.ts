/** One compressed write's way through one node. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { checkTransfer, checkWritable } from './check-request.ts'
import { finishWrite } from './finish-write.ts'

/**
 * Writes `data` compressed. An empty write ends a series.
 *
 * @throws BlockError `ENOTSUP` where the driver cannot compress, `EPERM` on a read-only node, or what the driver reports
 */
export async function writeCompressedNode(node: GraphNode, offset: number, data: Uint8Array): Promise<void> {
  checkTransfer(offset, data.length)
  checkWritable(node)
  const { writer } = node.layer
  if (writer?.writeCompressed === undefined) throw BlockError.fromErrno('ENOTSUP')
  const request = node.tracked.begin(offset, data.length)
  try {
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    await writer.writeCompressed(offset, data)
  } finally {
    finishWrite(node, offset, data.length)
    node.tracked.end(request)
  }
}
