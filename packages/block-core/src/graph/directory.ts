/** The folder from which relative names in an image count. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { combinePaths, isAbsolutePath, protocolPrefix } from '../options/filename.ts'
import { exactFilename } from './refresh-filename.ts'

/**
 * The folder of what stores `node`, its final slash included; empty for a name without any.
 *
 * @throws BlockError `EINVAL` `Cannot generate a base directory for <what> nodes`
 * @see spec/block-layer.md, section 10
 */
export function directoryOf(node: GraphNode): string {
  const layer = node.liveLayer
  if (layer?.dirname !== undefined) return layer.dirname()
  const storage = node.primaryEdge?.node
  if (storage !== undefined) return directoryOf(storage)
  const plain = exactFilename(node) ?? ''
  if (plain === '') throw new BlockError('EINVAL', `Cannot generate a base directory for ${node.driverName} nodes`)
  return combinePaths(plain, '')
}

/**
 * `name` as it is opened where `overlay` records it: names with a protocol prefix and absolute ones as they are, others
 * in the overlay's folder.
 *
 * @throws BlockError as `directoryOf`
 */
export function nameBeside(overlay: GraphNode, name: string): string {
  if (name === '' || protocolPrefix(name) !== undefined || isAbsolutePath(name)) return name
  return directoryOf(overlay) + name
}
