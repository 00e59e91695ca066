/** One compressed write's way through one node. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { checkTransfer, checkWritable } from './check-request.ts'
import { runAccounted } from './finish-write.ts'

/**
 * Writes `data` compressed, in one piece. An empty write ends a series.
 *
 * @param fua - the data is durable when it returns: the node is flushed
 * @throws BlockError `ENOTSUP` where the driver cannot compress, `EINVAL` for a request that is not aligned, `EPERM` on a
 *   read-only node, or what the driver reports
 */
export async function writeCompressedNode(
  node: GraphNode,
  offset: number,
  data: Uint8Array,
  fua = false,
): Promise<void> {
  const { requestAlignment: alignment } = node.limits
  checkTransfer(offset, data.length)
  checkWritable(node)
  const { writer } = node.layer
  if (writer?.writeCompressed === undefined) throw BlockError.fromErrno('ENOTSUP')
  // Padding it would make another compressed cluster out of what is read around it.
  if (offset % alignment !== 0 || data.length % alignment !== 0) throw BlockError.fromErrno('EINVAL')
  const request = node.tracked.begin(offset, data.length)
  try {
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    const { length: bytes } = data
    node.io.threshold.check(node.nodeName, offset + bytes)
    const accounted = { event: undefined, offset, bytes, flush: fua } as const
    await runAccounted(node, accounted, () => writer.writeCompressed!(offset, data))
  } finally {
    node.tracked.end(request)
  }
}
