/** Questions about backing chains, for jobs and tools; filters are skipped, except where a node itself is looked for. */

import type { BlockNode } from '../driver/node-view.ts'
import { graphNode } from '../node/graph-node.ts'
import * as chain from './backing-chain.ts'

/**
 * The image of `active`'s chain whose backing file `image` is.
 *
 * @param image - absent: gives the bottom image
 * @returns `undefined` where `image` is the active one itself, or not in the chain
 */
export function findOverlay(active: BlockNode, image?: BlockNode): BlockNode | undefined {
  return chain.findOverlay(graphNode(active), image === undefined ? undefined : graphNode(image))
}

/** The bottom-most image of a chain. */
export function findBase(top: BlockNode): BlockNode {
  return chain.chainBottom(graphNode(top))
}

/** The topmost image that two chains share; `undefined` for none. */
export function commonBase(a: BlockNode, b: BlockNode): BlockNode | undefined {
  return chain.commonBase(graphNode(a), graphNode(b))
}

/** Whether `node`, which may be a filter, is `top` or stands below it in its chain. */
export function chainContains(top: BlockNode, node: BlockNode): boolean {
  return chain.chainContains(graphNode(top), graphNode(node))
}

/** Whether an image's backing file is another one than the image records, as far as names tell. */
export function hasOtherBacking(overlay: BlockNode): boolean {
  return chain.backingOverridden(graphNode(overlay))
}
