/** What tools ask about a node beyond its view: the host's space, the resolved backing name, how it wants its requests. */

import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { allocatedBytesOf } from '../io/allocated-bytes.ts'
import { readsZeroWhenNew as zeroInitOf } from '../io/zero-init.ts'
import { graphNode } from '../node/graph-node.ts'
import type { LayerLimits } from '../driver/block-layer.ts'
import type { ResolvedLimits } from '../node/limits.ts'
import { nameBeside } from './directory.ts'

/** Bytes the host uses for an image, its backing files not counted; `undefined` where some part is unknown. */
export function hostBytesOf(node: BlockNode): Promise<number | undefined> {
  return allocatedBytesOf(graphNode(node))
}

/**
 * The name under which the backing file that the image records is opened: relative names as seen from the image.
 *
 * @returns `undefined` where the image records none, or where the image's own place is unknown
 */
export function resolvedBackingName(node: BlockNode): string | undefined {
  const overlay = graphNode(node)
  const recorded = overlay.backingReference?.filename
  if (recorded === undefined) return undefined
  try {
    return nameBeside(overlay, recorded)
  } catch (error) {
    if (error instanceof BlockError) return undefined
    throw error
  }
}

/** Whether a freshly created image reads as zeroes. An image with a backing file does not, whatever its format promises. */
export function readsZeroWhenNew(node: BlockNode): Promise<boolean> {
  return zeroInitOf(graphNode(node))
}

/** Whether the node itself, not one below a filter, takes compressed writes. */
export function canWriteCompressed(node: BlockNode): boolean {
  const { layer, isFilter } = graphNode(node)
  return !isFilter && layer.writer?.writeCompressed !== undefined
}

/** Bytes of which every request to the node is made a multiple; a power of two. */
export function requestAlignmentOf(node: BlockNode): number {
  return graphNode(node).limits.requestAlignment
}

/** What a node's own driver asks of requests, and what that comes to with what it inherits. Bytes. */
export function limitsOf(node: BlockNode): { readonly own: LayerLimits; readonly resolved: ResolvedLimits } {
  const { layer, limits } = graphNode(node)
  return { own: layer.limits ?? {}, resolved: limits }
}
