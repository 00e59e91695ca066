/** Whether a freshly created image reads as zeroes, so that nobody needs to write them. */

import type { GraphNode } from '../node/graph-node.ts'

/**
 * The driver's promise; filters pass on their child's. An image with a backing file never reads as zeroes by itself.
 *
 * @see QEMU 7.2 block.c: bdrv_has_zero_init
 */
export async function readsZeroWhenNew(node: GraphNode): Promise<boolean> {
  let image = node
  while (image.isFilter && image.chainEdge !== undefined) image = image.chainEdge.node
  if (image.backingEdge !== undefined) return false
  return (await image.layer.hasZeroInit?.()) ?? false
}
