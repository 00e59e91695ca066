/** Announces a step of format or generic code to the blkdebug node below, if there is one. */

import type { DebugSupport } from '../driver/block-layer.ts'
import type { BlkdebugEvent } from '../driver/events.ts'
import type { GraphNode } from '../node/graph-node.ts'

const done: Promise<void> = Promise.resolve()

/** The listener at `node` or below it along primary children; `undefined` where nobody listens. */
export function debugListener(node: GraphNode): DebugSupport | undefined {
  for (let at: GraphNode | undefined = node; at !== undefined; at = at.primaryEdge?.node) {
    const debug = at.liveLayer?.debug
    if (debug !== undefined) return debug
  }
  return undefined
}

/** Tells the listener that `event` comes next; resolves at once where nobody listens. */
export function deliverEvent(node: GraphNode, event: BlkdebugEvent): Promise<void> {
  const listener = debugListener(node)
  return listener === undefined ? done : listener.event(event)
}
