/** The driver's part of a read: the end of the image and the longest transfer. */

import type { GraphNode } from '../node/graph-node.ts'
import { alignUp } from '../util/align.ts'

/**
 * Reads an aligned range into `buffer` without entering a tracked request: for the read path, and for writes that
 * need their surroundings and hold the range already.
 */
export async function readNodeUntracked(node: GraphNode, offset: number, buffer: Uint8Array): Promise<void> {
  const { layer } = node
  const { requestAlignment, maxTransfer } = node.limits
  const readable = Math.max(0, Math.min(buffer.length, alignUp(layer.length, requestAlignment) - offset))
  // Past the end there is nothing to read: the layer answers with zeroes itself.
  if (readable < buffer.length) buffer.fill(0, readable)
  for (let done = 0; done < readable; done += maxTransfer) {
    const bytes = Math.min(maxTransfer, readable - done)
    await layer.read(offset + done, bytes === buffer.length ? buffer : buffer.subarray(done, done + bytes))
  }
}
