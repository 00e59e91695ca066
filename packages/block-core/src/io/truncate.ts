/** One length change's way through one node. */

import type { TruncateOptions } from '../driver/block-layer.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { offsetMax } from './check-request.ts'

/**
 * Makes a node longer or shorter.
 *
 * @throws BlockError with the reference's messages, `EACCES` on a read-only node
 * @see spec/block-layer.md, section 24
 */
export async function truncateNode(node: GraphNode, length: number, options: TruncateOptions = {}): Promise<void> {
  const { layer } = node
  if (length < 0) throw new BlockError('EINVAL', 'Image size cannot be negative')
  if (length > offsetMax) throw BlockError.fromErrno('EFBIG')
  if (node.readOnly) throw new BlockError('EACCES', 'Image is read-only')
  const oldLength = node.length
  const grows = length > oldLength
  const request = node.tracked.begin(Math.min(oldLength, length), Math.abs(length - oldLength))
  try {
    if (grows) node.tracked.makeSerialising(request, 1)
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    const backing = node.backingEdge?.node
    // What the shorter overlay hid of a longer backing file must not come into view.
    const zeroNewArea = (options.zeroNewArea ?? false) || (grows && backing !== undefined && backing.length > oldLength)
    await truncateLayer(node, length, {
      preallocation: options.preallocation ?? 'off',
      exact: options.exact ?? true,
      zeroNewArea: grows && zeroNewArea,
    })
    node.writeGeneration++
    for (const bitmap of node.dirtyBitmaps) bitmap.truncate(node.length)
  } finally {
    node.tracked.end(request)
  }

  async function truncateLayer(target: GraphNode, bytes: number, full: Required<TruncateOptions>): Promise<void> {
    if (layer.writer?.truncate !== undefined) return layer.writer.truncate(bytes, full)
    const filtered = target.isFilter ? target.chainEdge : undefined
    if (filtered === undefined) throw new BlockError('ENOTSUP', 'Image format driver does not support resize')
    return truncateNode(filtered.node, bytes, full)
  }
}
