/** Has a node give up what it stores, so that all of it reads from below again. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'

/** @throws BlockError `ENOTSUP` where the driver cannot, `Failed to empty <file>: …` where it fails */
export async function emptyNode(node: GraphNode): Promise<void> {
  const maintenance = node.layer.maintenance
  if (maintenance?.makeEmpty === undefined) {
    throw new BlockError('ENOTSUP', `${node.driverName} does not support emptying nodes`)
  }
  const { tracked } = node
  // The reference names the file here, also where the node itself has come to have another name.
  const { filename } = node.primaryEdge?.node ?? node
  // Writes that are under way own clusters that emptying would give away: it overlaps with none.
  const request = tracked.begin(0, node.length)
  tracked.makeSerialising(request, 1)
  try {
    await tracked.wait(request)
    await maintenance.makeEmpty()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw BlockError.withErrno(error.code, `Failed to empty ${filename}`, { cause: error })
  } finally {
    tracked.end(request)
  }
}
