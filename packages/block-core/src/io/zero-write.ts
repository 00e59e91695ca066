/** The driver's part of a zero write: splitting by alignment, and zeroes as data where a driver refuses. */

import type { WriteSupport } from '../driver/block-layer.ts'
import { assert, BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { bounceBufferMax, type ResolvedLimits } from '../node/limits.ts'
import { alignDown } from '../util/align.ts'
import { isZero } from '../util/bytes.ts'
import { runAccounted } from './finish-write.ts'

/** Zero flags after the node's own rules. */
export interface RunZeroFlags {
  readonly mayUnmap: boolean
  readonly noFallback: boolean
  readonly fua: boolean
  readonly unchanged?: boolean
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

/** A zero write that is aligned to the request alignment. */
export interface ZeroRequest {
  readonly offset: number
  readonly bytes: number
  readonly flags: RunZeroFlags
}

/** Zeroes a range that is aligned to the request alignment. */
export async function runZeroWrite(node: GraphNode, offset: number, bytes: number, flags: RunZeroFlags): Promise<void> {
  const writer = node.layer.writer
  if (writer === undefined) throw BlockError.fromErrno('ENOTSUP')
  const zeroesWithoutData = writer.writeZeroes !== undefined && writer.zeroFlags?.noFallback === true
  if (flags.noFallback && !zeroesWithoutData) throw BlockError.fromErrno('ENOTSUP')
  const driverFua = flags.fua && writer.supportsFua === true
  const pieceFlags = {
    mayUnmap: flags.mayUnmap && writer.zeroFlags?.mayUnmap === true,
    noFallback: flags.noFallback,
    fua: driverFua,
    ...(flags.unchanged === true ? { unchanged: true } : {}),
  }
  const accounted = { event: 'pwritev_zero', offset, bytes, flush: flags.fua && !driverFua } as const
  await runAccounted(node, accounted, () => zeroPieces(node, writer, { offset, bytes, flags: pieceFlags }))
}

/** Sends a zero write to the driver in pieces, without accounting for it. */
export async function zeroPieces(node: GraphNode, writer: WriteSupport, request: ZeroRequest): Promise<void> {
  const { offset, bytes, flags } = request
  const { limits } = node
  const { dataRegion } = node.io
  dataRegion.invalidate(offset, bytes)
  try {
    for (let done = 0; done < bytes; ) {
      const piece = nextZeroPiece(offset + done, bytes - done, limits)
      await zeroPiece(limits, writer, { offset: offset + done, bytes: piece, flags })
      done += piece
    }
  } finally {
    // A query that came in between may have seen data that is gone now.
    dataRegion.invalidate(offset, bytes)
  }
}

async function zeroPiece(limits: ResolvedLimits, writer: WriteSupport, piece: ZeroRequest): Promise<void> {
  const { offset, bytes, flags } = piece
  if (writer.writeZeroes !== undefined) {
    try {
      await writer.writeZeroes(offset, bytes, flags)
      return
    } catch (error) {
      if (!(error instanceof BlockError && error.code === 'ENOTSUP') || flags.noFallback) throw error
    }
  }
  const chunk = Math.min(bytes, limits.maxTransfer, bounceBufferMax)
  const dataFlags = { fua: flags.fua, ...(flags.unchanged === true ? { unchanged: true } : {}) }
  for (let done = 0; done < bytes; done += chunk) {
    await writer.write(offset + done, sharedZeroes(Math.min(chunk, bytes - done)), dataFlags)
  }
}

let zeroes = new Uint8Array(0)

/** Zeroes that all fallbacks of all graphs share: they are only read, so one buffer is enough for any number. */
function sharedZeroes(bytes: number): Uint8Array {
  if (zeroes.length < bytes) zeroes = new Uint8Array(bytes)
  const view = zeroes.subarray(0, bytes)
  assert(isZero(view), 'a driver changed the data that it was to write')
  return view
}
