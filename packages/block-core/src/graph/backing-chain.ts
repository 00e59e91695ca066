/** Walks along backing chains. */

import { combinePaths, isAbsolutePath, protocolPrefix } from '../options/filename.ts'
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

/** Whether the backing file is another one than the image itself names. */
export function backingOverridden(overlay: GraphNode): boolean {
  const backing = overlay.backingEdge?.node
  if (backing === undefined) return overlay.backingReference !== undefined
  return backing.filename !== overlay.implicitBackingFilename
}

/** Directory-like prefix against which names recorded in `node` are resolved: the plain name of its storage. */
export function storageFilename(node: GraphNode): string {
  let at = node
  for (let edge = at.primaryEdge; edge !== undefined; edge = at.primaryEdge) at = edge.node
  return at.filename
}

/** Gives two spellings of one file the same text; the identity where the graph's drivers know no better. */
export type CanonicalName = (filename: string) => string | undefined

/**
 * The image of `top`'s chain that `name` means, seen from the overlay whose backing file it is; never `top` itself.
 *
 * @param canonical - follows links and `..` (realpath); `undefined` for a file that does not exist, which never matches
 * @see spec/block-layer.md, section 25.2, find_backing_image; spec/qemu-img.md, section 13.3
 */
export function findBackingImage(top: GraphNode, name: string, canonical: CanonicalName): GraphNode | undefined {
  for (let overlay: GraphNode | undefined = skipFilters(top); overlay !== undefined; overlay = backingImage(overlay)) {
    const backing = backingImage(overlay)
    if (backing === undefined) return undefined
    if (nameMeans(overlay, backing, name, canonical)) return backing
  }
  return undefined
}

function nameMeans(overlay: GraphNode, backing: GraphNode, name: string, canonical: CanonicalName): boolean {
  if (name === '') return false
  if (backingOverridden(overlay)) return name === backing.filename
  const recorded = overlay.backingReference?.filename ?? ''
  const beside = (path: string) => (isAbsolutePath(path) ? path : combinePaths(storageFilename(overlay), path))
  if (protocolPrefix(recorded) !== undefined) return name === recorded
  if (protocolPrefix(name) !== undefined) return name === beside(recorded)
  const wanted = canonical(beside(name))
  return wanted !== undefined && wanted === canonical(beside(recorded))
}
