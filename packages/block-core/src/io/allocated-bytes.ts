/** How much of the host's storage a node takes. */

import { ChildRoles } from '../driver/child.ts'
import type { GraphNode } from '../node/graph-node.ts'

/**
 * Bytes the host uses: the driver's answer, else the sum over all children but the backing file.
 *
 * @returns `undefined` where some part is unknown
 * @see spec/block-layer.md, section 4.3, get_allocated_file_size
 */
export async function allocatedBytesOf(node: GraphNode): Promise<number | undefined> {
  const layer = node.layer
  if (layer.allocatedBytes !== undefined) return layer.allocatedBytes()
  const parts = [...node.edges.values()].filter((edge) => (edge.role & ChildRoles.cow) === 0)
  if (parts.length === 0) return undefined
  let sum = 0
  for (const edge of parts) {
    const bytes = await allocatedBytesOf(edge.node)
    if (bytes === undefined) return undefined
    sum += bytes
  }
  return sum
}
