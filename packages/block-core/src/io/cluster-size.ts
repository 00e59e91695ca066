/** The unit in which a node's image is allocated. */

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
