/** Freezes a piece of a chain for a driver, and answers its questions about it. */

import type { ChainSource, FrozenChain } from '../driver/frozen-chain.ts'
import { BlockError } from '../errors.ts'
import { chainStatus } from '../io/block-status.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { chainContains, skipFilters } from './backing-chain.ts'
import { freezeChain } from './replace.ts'

/**
 * Freezes the links from `top` down to `bottom`.
 *
 * @throws BlockError `EINVAL` where `bottom` is not below `top`, `EPERM` where a link is frozen already
 */
export function frozenChain(top: GraphNode, bottom: GraphNode): FrozenChain {
  if (top === bottom || !chainContains(top, bottom)) {
    throw new BlockError('EINVAL', `Node '${bottom.nodeName}' is not in the backing chain of '${top.nodeName}'`)
  }
  const release = freezeChain(top, bottom)
  return { source: (offset, bytes) => sourceOf(top, bottom, offset, bytes), release }
}

async function sourceOf(
  top: GraphNode,
  bottom: GraphNode,
  offset: number,
  bytes: number,
): Promise<{ readonly bytes: number; readonly source: ChainSource }> {
  const image = skipFilters(top)
  // What is below the bottom may change at any time: it is looked up again for every question.
  const status = await chainStatus(image, bottom.chainEdge?.node, offset, bytes, false)
  const allocatedIn = status.node === image ? 'top' : 'below'
  return { bytes: status.bytes, source: status.allocated ? allocatedIn : 'beyond' }
}
