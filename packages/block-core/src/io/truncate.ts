/** One length change's way through one node. */

import type { TruncateOptions, TruncateRequest } from '../driver/requests.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { offsetMax } from './check-request.ts'
import { announceLength } from './finish-write.ts'

/**
 * Makes a node longer or shorter.
 *
 * @throws BlockError with the reference's messages, `EACCES` on a read-only node; `options.signal.reason`
 * @see spec/block-layer.md, section 24
 */
export async function truncateNode(node: GraphNode, length: number, options: TruncateOptions = {}): Promise<void> {
  options.signal?.throwIfAborted()
  checkTruncate(node, length)
  const oldLength = node.length
  const grows = length > oldLength
  const request = node.tracked.begin(Math.min(oldLength, length), Math.abs(length - oldLength))
  try {
    // Preallocation writes into the new area: no other write may come between.
    if (grows) node.tracked.makeSerialising(request, 1)
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    // What they have no memory for must not happen: they would miss the writes to it.
    if (grows) for (const bitmap of node.dirtyBitmaps) bitmap.truncate(length)
    await truncateLayer(node, length, {
      preallocation: options.preallocation ?? 'off',
      exact: options.exact ?? true,
      zeroNewArea: grows && (options.zeroNewArea === true || backingShows(node, oldLength)),
      signal: options.signal,
      onProgress: options.onProgress,
    })
  } finally {
    try {
      settleLength(node, Math.min(oldLength, length), oldLength)
    } finally {
      node.tracked.end(request)
    }
  }
}

/** Everybody follows what the length is now: also a failed change may have changed something. */
function settleLength(node: GraphNode, changedFrom: number, oldLength: number): void {
  node.writeGeneration++
  node.io.dataRegion.invalidate(changedFrom, Number.POSITIVE_INFINITY)
  if (node.liveLayer === undefined) return
  // Where changes overlap, the old length says nothing of what the others left.
  for (const bitmap of node.dirtyBitmaps) bitmap.truncate(node.length)
  const { announcedLength = oldLength } = node.io
  if (node.length !== oldLength || node.length !== announcedLength) announceLength(node)
}

function checkTruncate(node: GraphNode, length: number): void {
  if (node.liveLayer === undefined) throw new BlockError('ENOMEDIUM', 'No medium inserted')
  if (length < 0) throw new BlockError('EINVAL', 'Image size cannot be negative')
  if (length > offsetMax) throw BlockError.fromErrno('EFBIG')
  if (!Number.isInteger(length)) throw BlockError.fromErrno('EINVAL')
  if (node.readOnly) throw new BlockError('EACCES', 'Image is read-only')
}

/** What the shorter overlay hid of a longer backing file must not come into view. */
function backingShows(node: GraphNode, oldLength: number): boolean {
  const backing = node.backingEdge?.node
  return backing !== undefined && backing.length > oldLength
}

function truncateLayer(node: GraphNode, length: number, options: TruncateRequest): Promise<void> {
  const { writer } = node.layer
  if (writer?.truncate !== undefined) {
    if (options.zeroNewArea && writer.truncateFlags?.zeroNewArea !== true) {
      throw new BlockError('ENOTSUP', 'Block driver does not support requested flags')
    }
    return writer.truncate(length, options)
  }
  const filtered = node.isFilter ? node.chainEdge : undefined
  if (filtered === undefined) throw new BlockError('ENOTSUP', 'Image format driver does not support resize')
  return truncateNode(filtered.node, length, options)
}
