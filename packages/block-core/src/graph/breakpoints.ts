/** Breakpoints on the node that a user knows: they are kept by the blkdebug node at it or below. */

import type { DebugSupport } from '../driver/block-layer.ts'
import { isBlkdebugEvent } from '../driver/events.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { debugListener } from '../io/debug-event.ts'
import { graphNode } from '../node/graph-node.ts'

/** The blkdebug node at or below `node` along primary children, where there is one. */
export function debugListenerOf(node: BlockNode): DebugSupport | undefined {
  return debugListener(graphNode(node))
}

/**
 * The next request that comes to `event` waits under `tag`.
 *
 * @throws BlockError `ENOTSUP` where nobody listens, `ENOENT` for an event that does not exist
 */
export function setBreakpoint(node: BlockNode, event: string, tag: string): void {
  const listener = requireListener(node)
  if (!isBlkdebugEvent(event)) throw BlockError.fromErrno('ENOENT')
  listener.setBreakpoint(event, tag)
}

/**
 * Forgets all breakpoints with `tag`, and lets all requests that wait under it go on.
 *
 * @throws BlockError `ENOTSUP` where nobody listens, `ENOENT` where there was no breakpoint to forget
 */
export function removeBreakpoint(node: BlockNode, tag: string): void {
  requireListener(node).removeBreakpoint(tag)
}

/**
 * Lets the request that came to wait under `tag` last go on.
 *
 * @throws BlockError `ENOTSUP` where nobody listens, `ENOENT` where none waits
 */
export function resumeSuspended(node: BlockNode, tag: string): void {
  requireListener(node).resume(tag)
}

/** Whether any request waits under `tag`; where nobody listens none ever does. */
export function isSuspended(node: BlockNode, tag: string): boolean {
  return debugListenerOf(node)?.isSuspended(tag) ?? false
}

/** Resolves as soon as a request waits under `tag`. Where nobody listens that is never, as in the reference. */
export function untilSuspended(node: BlockNode, tag: string): Promise<void> {
  return debugListenerOf(node)?.untilSuspended(tag) ?? new Promise(() => {})
}

function requireListener(node: BlockNode): DebugSupport {
  const listener = debugListenerOf(node)
  if (listener === undefined) throw BlockError.fromErrno('ENOTSUP')
  return listener
}
