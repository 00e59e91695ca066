/** What jobs and monitors ask of a node's request path: allocation in a chain, copy-on-read, thresholds. */

import type { BlockNode } from '../driver/node-view.ts'
import { graphNode } from '../node/graph-node.ts'
import type { WriteThresholdEvent } from '../node/write-threshold.ts'
import { isZeroFast } from './block-status.ts'
import { allocatedDepth, type ChainDepth } from './chain-walk.ts'

/**
 * How deep the run at `offset` is allocated in `top` and below it.
 *
 * @param base - where to stop; `undefined`: at the end of the chain
 * @param range - `includeBase`: ask `base` too
 * @see spec/block-layer.md, section 23
 */
export function isAllocatedAbove(
  top: BlockNode,
  base: BlockNode | undefined,
  range: { readonly offset: number; readonly bytes: number; readonly includeBase?: boolean },
): Promise<ChainDepth> {
  const below = base === undefined ? undefined : graphNode(base)
  return allocatedDepth(graphNode(top), below, range, range.includeBase ?? false)
}

/** Whether a quick look says that the whole range reads as zero; `false` may also mean "do not know". */
export function readsZeroFast(node: BlockNode, offset: number, bytes: number): Promise<boolean> {
  return isZeroFast(graphNode(node), offset, bytes)
}

/** Bytes from the beginning to the end of the furthest write since the node was opened. */
export function writeHighestOffsetOf(node: BlockNode): number {
  return graphNode(node).io.writeHighestOffset
}

/**
 * Calls `listener` once, when a write is about to begin that ends beyond `bytes`.
 *
 * @param bytes - 0 switches it off; a new threshold replaces the old one
 */
export function setWriteThreshold(
  node: BlockNode,
  bytes: number,
  listener: (event: WriteThresholdEvent) => void = () => {},
): void {
  graphNode(node).io.threshold.set(bytes, listener)
}

/** The threshold that waits to be passed; 0 where none does. */
export function writeThresholdOf(node: BlockNode): number {
  return graphNode(node).io.threshold.bytes
}
