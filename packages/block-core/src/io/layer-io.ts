/** Hands aligned requests to a driver: split by its longest transfer, in one buffer or several as it can take them. */

import type { BlockLayer, LayerWriteFlags, WriteSupport } from '../driver/block-layer.ts'
import type { IoBuffers } from '../driver/requests.ts'
import type { ResolvedLimits } from '../node/limits.ts'
import { buffersMax, longestJoin, pieces } from './pieces.ts'
import { bytesIn, joined, scatter, sliceOf } from './vectors.ts'

/**
 * Bytes of memory that a request on these buffers needs where the driver takes one buffer at a time; mostly 0.
 *
 * @param vectored - whether the driver takes several
 */
export function joinBytes(lengths: readonly number[], alignment: number, vectored: boolean): number {
  return vectored && lengths.length <= buffersMax ? 0 : longestJoin(lengths, alignment)
}

/** Fills `into`, all of it. Whoever calls holds `joinBytes` of the budget. */
export function readLayer(layer: BlockLayer, limits: ResolvedLimits, offset: number, into: IoBuffers): Promise<void> {
  if (into instanceof Uint8Array) {
    return into.length <= limits.maxTransfer ? layer.read(offset, into) : readSplit(layer, limits, offset, into)
  }
  if (layer.readv === undefined || into.length > buffersMax) return readPieces(layer, limits, offset, into)
  return readSplit(layer, limits, offset, into)
}

async function readSplit(layer: BlockLayer, limits: ResolvedLimits, offset: number, into: IoBuffers): Promise<void> {
  const { maxTransfer } = limits
  const bytes = bytesIn(into)
  for (let done = 0; done < bytes; done += maxTransfer) {
    const part = sliceOf(into, done, Math.min(maxTransfer, bytes - done))
    await (part instanceof Uint8Array ? layer.read(offset + done, part) : layer.readv!(offset + done, part))
  }
}

async function readPieces(
  layer: BlockLayer,
  limits: ResolvedLimits,
  offset: number,
  into: readonly Uint8Array[],
): Promise<void> {
  let at = offset
  for (const piece of pieces(into, limits.requestAlignment)) {
    const buffer = piece instanceof Uint8Array ? piece : new Uint8Array(bytesIn(piece))
    await readSplit(layer, limits, at, buffer)
    if (buffer !== piece) scatter(buffer, piece)
    at += buffer.length
  }
}

/** Writes all of `data`. Whoever calls holds `joinBytes` of the budget. */
export function writeLayer(
  writer: WriteSupport,
  limits: ResolvedLimits,
  request: { readonly offset: number; readonly data: IoBuffers; readonly flags: LayerWriteFlags },
): Promise<void> {
  const { offset, data, flags } = request
  if (data instanceof Uint8Array) {
    return data.length <= limits.maxTransfer ? writer.write(offset, data, flags) : writeSplit(writer, limits, request)
  }
  if (writer.writev === undefined || data.length > buffersMax) return writePieces(writer, limits, request)
  return writeSplit(writer, limits, request)
}

interface WriteRequest {
  readonly offset: number
  readonly data: IoBuffers
  readonly flags: LayerWriteFlags
}

async function writeSplit(writer: WriteSupport, limits: ResolvedLimits, request: WriteRequest): Promise<void> {
  const { offset, data, flags } = request
  const { maxTransfer } = limits
  const bytes = bytesIn(data)
  for (let done = 0; done < bytes; done += maxTransfer) {
    const part = sliceOf(data, done, Math.min(maxTransfer, bytes - done))
    const at = offset + done
    await (part instanceof Uint8Array ? writer.write(at, part, flags) : writer.writev!(at, part, flags))
  }
}

async function writePieces(writer: WriteSupport, limits: ResolvedLimits, request: WriteRequest): Promise<void> {
  let at = request.offset
  for (const piece of pieces(request.data as readonly Uint8Array[], limits.requestAlignment)) {
    const data = joined(piece)
    await writeSplit(writer, limits, { ...request, offset: at, data })
    at += data.length
  }
}
