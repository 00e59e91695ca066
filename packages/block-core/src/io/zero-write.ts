/** The driver's part of a zero write: splitting by alignment, and zeroes as data where a driver refuses. */

import { BlockError } from '../errors.ts'
import { bounceBufferMax, type ResolvedLimits } from '../node/limits.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { alignDown } from '../util/align.ts'
import { deliverEvent } from './debug-event.ts'
import { flushNode } from './flush.ts'
import { finishWrite } from './finish-write.ts'

/** Zero flags after the node's own rules. */
export interface RunZeroFlags {
  readonly mayUnmap: boolean
  readonly noFallback: boolean
  readonly fua: boolean
}

/**
 * Pure: length of the next piece of a zero write at `offset` with `rest` bytes to go. Pieces never cross an alignment
 * boundary unless they are aligned at both ends.
 *
 * @see spec/block-layer.md, section 16
 */
export function nextZeroPiece(offset: number, rest: number, limits: ResolvedLimits): number {
  const { zeroAlignment, maxZeroes, maxTransfer } = limits
  const dataMax = Math.min(maxTransfer, bounceBufferMax)
  const head = offset - alignDown(offset, zeroAlignment)
  if (head !== 0) return Math.min(rest, zeroAlignment - head, dataMax)
  const tail = rest - alignDown(rest, zeroAlignment)
  const bulk = tail !== 0 && rest > zeroAlignment ? rest - tail : rest
  return Math.min(bulk, maxZeroes)
}

/** Zeroes a range that is aligned to the request alignment. */
export async function runZeroWrite(node: GraphNode, offset: number, bytes: number, flags: RunZeroFlags): Promise<void> {
  const { layer } = node
  const writer = layer.writer
  if (writer === undefined) throw BlockError.fromErrno('ENOTSUP')
  if (flags.noFallback && writer.zeroFlags?.noFallback !== true) throw BlockError.fromErrno('ENOTSUP')
  const driverFua = flags.fua && writer.supportsFua === true
  const pieceFlags = {
    mayUnmap: flags.mayUnmap && node.flags.unmap && writer.zeroFlags?.mayUnmap === true,
    noFallback: flags.noFallback,
    fua: driverFua,
  }
  try {
    await deliverEvent(node, 'pwritev_zero')
    for (let done = 0; done < bytes; ) {
      const piece = nextZeroPiece(offset + done, bytes - done, node.limits)
      await zeroPiece(node, offset + done, piece, pieceFlags)
      done += piece
    }
    await deliverEvent(node, 'pwritev_done')
  } finally {
    finishWrite(node, offset, bytes)
  }
  if (flags.fua && !driverFua) await flushNode(node)
}

async function zeroPiece(node: GraphNode, offset: number, bytes: number, flags: RunZeroFlags): Promise<void> {
  const writer = node.layer.writer!
  if (writer.writeZeroes !== undefined) {
    try {
      await writer.writeZeroes(offset, bytes, flags)
      return
    } catch (error) {
      if (!(error instanceof BlockError && error.code === 'ENOTSUP') || flags.noFallback) throw error
    }
  }
  const chunk = Math.min(bytes, node.limits.maxTransfer, bounceBufferMax)
  const zeroes = new Uint8Array(chunk)
  for (let done = 0; done < bytes; done += chunk) {
    const length = Math.min(chunk, bytes - done)
    await writer.write(offset + done, zeroes.subarray(0, length), { fua: flags.fua && done + length === bytes })
  }
}
