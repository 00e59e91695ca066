/** What a node's format says about it, seen through filters that say nothing themselves. */

import type { LayerInfo } from '../driver/layer-info.ts'
import type { GraphNode } from '../node/graph-node.ts'

/** Bytes: the format's clusters, those of the node that a filter shows, else the request alignment. */
export function clusterSizeOf(node: GraphNode): number {
  for (let at: GraphNode | undefined = node; at !== undefined; at = at.chainEdge?.node) {
    const clusterSize = at.layer.info?.().clusterSize
    if (clusterSize !== undefined && clusterSize > 0) return Math.max(clusterSize, node.limits.requestAlignment)
    if (!at.isFilter) break
  }
  return node.limits.requestAlignment
}

/**
 * What the node's format says about it. A filter without an answer of its own gives its child's, without what only that
 * format can say.
 *
 * @throws BlockError `ENOMEDIUM` where the node was ejected
 * @see spec/block-layer.md, sections 3 and 4.3, get_info
 */
export function infoOf(node: GraphNode): LayerInfo {
  const { layer } = node
  if (layer.info !== undefined) return layer.info()
  const below = node.isFilter ? node.chainEdge?.node : undefined
  if (below?.liveLayer === undefined) return {}
  const { clusterSize, dirty, vmStateOffset } = infoOf(below)
  return {
    ...(clusterSize === undefined ? {} : { clusterSize }),
    ...(dirty === undefined ? {} : { dirty }),
    ...(vmStateOffset === undefined ? {} : { vmStateOffset }),
  }
}
