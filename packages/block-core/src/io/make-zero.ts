/** Makes a whole device read as zeroes without writing where it does already. */

import type { ZeroFlags } from '../driver/requests.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { requestBytesMax } from '../node/limits.ts'
import { blockStatusOf } from './block-status.ts'
import { writeZeroesNode } from './write-zeroes.ts'

/**
 * Zeroes the whole node, image by image of its chain as far as it shows.
 *
 * @throws BlockError as `writeZeroesNode`, or what the status query meets
 * @see spec/block-layer.md, section 23, make_zero
 */
export async function makeZeroNode(node: GraphNode, flags: ZeroFlags = {}): Promise<void> {
  // The length is asked for each time: others may make the disk shorter meanwhile.
  for (let offset = 0; offset < node.length; ) {
    const wanted = Math.min(node.length - offset, requestBytesMax)
    const status = await blockStatusOf(node, offset, wanted, true)
    if (!status.zero) await writeZeroesNode(node, offset, status.bytes, flags)
    offset += status.bytes
  }
}
