/** Questions about a part of a chain: where something is allocated, and how deep. */

import type { GraphNode } from '../node/graph-node.ts'
import { chainStatus } from './block-status.ts'

/** Which layer of a chain determines the content of a run. */
export interface ChainDepth {
  /** 1 is the top layer, filters count; 0: none of those that were asked. */
  readonly depth: number
  /** Length of the run; 0 only at or past the top's end. */
  readonly bytes: number
}

/**
 * How deep the run at `offset` is allocated in `top` and what is below it.
 *
 * @param base - where to stop; `undefined`: at the end of the chain
 * @param includeBase - whether `base` itself is asked
 * @see spec/block-layer.md, section 23, is_allocated_above
 */
export async function allocatedDepth(
  top: GraphNode,
  base: GraphNode | undefined,
  range: { readonly offset: number; readonly bytes: number },
  includeBase = false,
): Promise<ChainDepth> {
  if (top === base && !includeBase)
    return { depth: 0, bytes: Math.max(0, Math.min(range.bytes, top.length - range.offset)) }
  const stop = includeBase ? base?.chainEdge?.node : base
  const status = await chainStatus(top, stop, range.offset, range.bytes, false)
  return { depth: status.allocated ? status.depth : 0, bytes: status.bytes }
}

/** Whether the node itself determines the content at `offset`: neither filters nor backing files are looked through. */
export async function isAllocated(
  node: GraphNode,
  offset: number,
  bytes: number,
): Promise<{ readonly allocated: boolean; readonly bytes: number }> {
  const found = await allocatedDepth(node, node, { offset, bytes }, true)
  return { allocated: found.depth > 0, bytes: found.bytes }
}
