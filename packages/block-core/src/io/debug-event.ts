/** Announces a step of format or generic code to the blkdebug node below, if there is one. */

import type { DebugSupport } from '../driver/block-layer.ts'
import type { BlkdebugEvent } from '../driver/events.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { doneAtOnce } from '../util/done.ts'

/**
 * The listener at `node` or below it along primary children; `undefined` where nobody listens. For breakpoints, which
 * users set on the node they know.
 */
export function debugListener(node: GraphNode): DebugSupport | undefined {
  for (let at: GraphNode | undefined = node; at !== undefined; at = at.primaryEdge?.node) {
    const debug = at.liveLayer?.debug
    if (debug !== undefined) return debug
  }
  return undefined
}

/**
 * Tells `node`'s own driver that `event` comes next; resolves at once where it does not listen. Events do not walk on:
 * a request on a format must not be announced to the blkdebug node below as if it were that node's own.
 */
export function deliverEvent(node: GraphNode, event: BlkdebugEvent): Promise<void> {
  return node.liveLayer?.debug?.event(event) ?? doneAtOnce
}

/** Whether `node`'s driver listens: a request that announces nothing need not wait for nothing. */
export function hasListener(node: GraphNode): boolean {
  return node.liveLayer?.debug !== undefined
}
