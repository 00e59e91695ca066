/** Walks along backing chains. */

import type { GraphNode } from '../node/graph-node.ts'

/** Follows filters down to the first node that is none. */
export function skipFilters(node: GraphNode): GraphNode {
  let at = node
  while (at.isFilter && at.chainEdge !== undefined) at = at.chainEdge.node
  return at
}

/** The next image down the chain, filters skipped on both sides. */
export function backingImage(node: GraphNode): GraphNode | undefined {
  const below = skipFilters(node).backingEdge?.node
  return below === undefined ? undefined : skipFilters(below)
}

/** The bottom-most image. */
export function chainBottom(node: GraphNode): GraphNode {
  let at = skipFilters(node)
  for (let below = backingImage(at); below !== undefined; below = backingImage(at)) at = below
  return at
}

/** Every image of the chain from the top down. */
export function chainImages(node: GraphNode): GraphNode[] {
  const images: GraphNode[] = []
  for (let at: GraphNode | undefined = skipFilters(node); at !== undefined; at = backingImage(at)) images.push(at)
  return images
}

/** Whether `node` is `top` or stands below it in its chain. */
export function chainContains(top: GraphNode, node: GraphNode): boolean {
  for (let at: GraphNode | undefined = top; at !== undefined; at = at.chainEdge?.node) if (at === node) return true
  return false
}

/**
 * The image of `active`'s chain whose backing file `image` is, filters skipped on all sides.
 *
 * @param image - absent: the bottom image is looked for, which is nobody's overlay
 * @returns `undefined` where `image` is the active one itself, or not in the chain
 * @see spec/block-layer.md, section 25.2, find_overlay
 */
export function findOverlay(active: GraphNode, image: GraphNode | undefined): GraphNode | undefined {
  const wanted = image === undefined ? undefined : skipFilters(image)
  return chainImages(active).find((overlay) => backingImage(overlay) === wanted)
}

/** The topmost image that both chains have; `undefined` where they share none. */
export function commonBase(a: GraphNode, b: GraphNode): GraphNode | undefined {
  const others = new Set(chainImages(b))
  return chainImages(a).find((image) => others.has(image))
}

/** Whether the backing file is another one than the image itself names. */
export function backingOverridden(overlay: GraphNode): boolean {
  const backing = overlay.backingEdge?.node
  if (backing === undefined) return overlay.backingReference !== undefined
  return backing.filename !== overlay.implicitBackingFilename
}
