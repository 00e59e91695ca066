/** Which image of a chain a name means. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { protocolPrefix } from '../options/filename.ts'
import { backingImage, backingOverridden, skipFilters } from './backing-chain.ts'
import { nameBeside } from './directory.ts'

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
  if (protocolPrefix(recorded) !== undefined) return name === recorded
  const full = whereKnown(() => nameBeside(overlay, recorded))
  if (protocolPrefix(name) !== undefined) return name === full
  const wanted = whereKnown(() => nameBeside(overlay, name))
  if (wanted === undefined || full === undefined) return false
  const file = canonical(wanted)
  return file !== undefined && file === canonical(full)
}

/** `undefined` for an overlay that has no folder: what its names mean nobody can say. */
function whereKnown(name: () => string): string | undefined {
  try {
    return name()
  } catch (error) {
    if (error instanceof BlockError) return undefined
    throw error
  }
}
