/** Reads that keep what they fetched from below: copy-on-read. */

import type { BlockNode } from '../driver/node-view.ts'
import type { IoBuffers } from '../driver/requests.ts'
import { BlockError } from '../errors.ts'
import { type GraphNode, graphNode } from '../node/graph-node.ts'
import { bounceBufferMax } from '../node/limits.ts'
import { alignDown, alignUp } from '../util/align.ts'
import { isZero } from '../util/bytes.ts'
import { nodeStatus } from './block-status.ts'
import { deliverEvent } from './debug-event.ts'
import { writeLayer } from './layer-io.ts'
import { clusterSizeOf } from './node-facts.ts'
import type { PaddedRange } from './padding.ts'
import { readNodeUntracked } from './read-untracked.ts'
import { bytesIn, scatter, sliceOf } from './vectors.ts'
import { zeroPieces } from './zero-write.ts'

/**
 * From now on all that is read from `node` is copied into it. Counted: it ends when every caller has ended it.
 *
 * @returns what ends it; calling it twice does nothing more
 * @throws BlockError `EACCES` `Can't use copy-on-read on read-only device`
 */
export function enableCopyOnRead(node: BlockNode): () => void {
  const target = graphNode(node)
  if (target.readOnly) throw new BlockError('EACCES', "Can't use copy-on-read on read-only device")
  target.io.copyOnReadUsers++
  let enabled = true
  return () => {
    if (enabled) target.io.copyOnReadUsers--
    enabled = false
  }
}

/** Bytes of memory that copying a range needs at a time. */
export function copyOnReadBytes(node: GraphNode, range: { readonly start: number; readonly end: number }): number {
  const { start, end } = clusters(node, range)
  return Math.min(end - start, node.limits.maxTransfer, bounceBufferMax)
}

function clusters(node: GraphNode, range: { start: number; end: number }): { start: number; end: number } {
  const clusterSize = clusterSizeOf(node)
  return { start: alignDown(range.start, clusterSize), end: alignUp(range.end, clusterSize) }
}

/**
 * Copies what the node has not allocated of the range's clusters into the node, and fills `into` with the range.
 * Whoever calls has the clusters to itself, and holds `copyOnReadBytes` of the budget.
 *
 * @param into - as long as the range; `undefined`: only copy
 * @throws BlockError also where only the copying failed: the data would be read, but never arrive
 * @see spec/block-layer.md, section 18
 */
export async function runCopyOnRead(
  node: GraphNode,
  range: Pick<PaddedRange, 'start' | 'end'>,
  into: IoBuffers | undefined,
): Promise<void> {
  const { start, end } = clusters(node, range)
  const pieceMax = copyOnReadBytes(node, range)
  let bounce: Uint8Array | undefined
  for (let at = start; at < end; ) {
    const { bytes, allocated } = await allocationAt(node, at, Math.min(end - at, node.limits.maxTransfer))
    // The image ends within its last cluster.
    if (bytes === 0) break
    const piece = allocated ? bytes : Math.min(bytes, pieceMax)
    // The part of this piece that was asked for.
    const from = Math.max(at, range.start)
    const wanted = Math.max(0, Math.min(at + piece, range.end) - from)
    const target = into === undefined || wanted === 0 ? undefined : sliceOf(into, from - range.start, wanted)
    if (!allocated) {
      bounce ??= new Uint8Array(pieceMax)
      const data = bounce.subarray(0, piece)
      await copyPiece(node, at, data)
      if (target !== undefined) scatter(data.subarray(from - at, from - at + wanted), target)
    } else if (target !== undefined) {
      await readNodeUntracked(node, from, target)
    }
    at += piece
  }
  await readBeyond(node, range, into)
}

/** An error of the query counts as "not allocated": the read will meet it again, and say what it is. */
async function allocationAt(
  node: GraphNode,
  offset: number,
  bytes: number,
): Promise<{ readonly bytes: number; readonly allocated: boolean }> {
  try {
    const status = await nodeStatus(node, offset, bytes, false)
    // A last sector that is shorter than a block is copied with the whole block.
    return { bytes: Math.min(bytes, alignUp(status.bytes, node.limits.requestAlignment)), allocated: status.allocated }
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return { bytes, allocated: false }
  }
}

async function copyPiece(node: GraphNode, offset: number, data: Uint8Array): Promise<void> {
  const { layer, limits } = node
  const { writer } = layer
  if (writer === undefined) throw BlockError.fromErrno('ENOTSUP')
  await readNodeUntracked(node, offset, data)
  await deliverEvent(node, 'cor_write')
  try {
    if (writer.writeZeroes !== undefined && isZero(data)) {
      const flags = { mayUnmap: false, noFallback: false, fua: false, unchanged: true }
      await zeroPieces(node, writer, { offset, bytes: data.length, flags })
    } else {
      await writeLayer(writer, limits, { offset, data, flags: { fua: false, unchanged: true } })
    }
  } finally {
    // The content is as before, so no dirty bitmap marks it; but there is something to be flushed.
    node.writeGeneration++
  }
}

/** What lies past the end reads as zeroes, as in every read. */
async function readBeyond(
  node: GraphNode,
  range: { readonly start: number; readonly end: number },
  into: IoBuffers | undefined,
): Promise<void> {
  if (into === undefined) return
  const end = alignUp(node.length, node.limits.requestAlignment)
  if (range.end <= end) return
  const from = Math.max(range.start, end)
  await readNodeUntracked(node, from, sliceOf(into, from - range.start, bytesIn(into) - (from - range.start)))
}
