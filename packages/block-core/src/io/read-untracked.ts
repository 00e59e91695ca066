/** The driver's part of a read: the end of the image, and the driver's limits. */

import type { IoBuffers } from '../driver/requests.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { alignUp } from '../util/align.ts'
import { doneAtOnce } from '../util/done.ts'
import { readLayer } from './layer-io.ts'
import { bytesIn, sliceOf, zeroFrom } from './vectors.ts'

/**
 * Reads an aligned range without entering a tracked request: for the read path, and for writes that need their
 * surroundings and hold the range already.
 *
 * @throws at once where the node has no medium
 */
export function readNodeUntracked(node: GraphNode, offset: number, into: IoBuffers): Promise<void> {
  const { layer, limits } = node
  const bytes = bytesIn(into)
  if (offset + bytes <= layer.length) return readLayer(layer, limits, offset, into)
  const available = alignUp(layer.length, limits.requestAlignment) - offset
  if (bytes <= available) return readLayer(layer, limits, offset, into)
  // Past the end there is nothing to read: the layer answers with zeroes itself.
  const readable = Math.max(0, available)
  zeroFrom(into, readable)
  return readable === 0 ? doneAtOnce : readLayer(layer, limits, offset, sliceOf(into, 0, readable))
}
