/** One data write's way through one node: padding, serialising, splitting, durability. */

import type { WriteFlags } from '../driver/block-layer.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { TrackedRequest } from '../node/tracked-requests.ts'
import { isZero } from '../util/bytes.ts'
import { checkRange, checkWritable } from './check-request.ts'
import { deliverEvent } from './debug-event.ts'
import { finishWrite } from './finish-write.ts'
import { flushNode } from './flush.ts'
import { type PaddedRange, padRange, readPadding } from './padding.ts'
import { runZeroWrite } from './zero-write.ts'

/**
 * Writes `data` at `offset`. A write past the end makes nodes longer that can be (files).
 *
 * @throws BlockError `EPERM` on a read-only node, `ENOMEDIUM`, or what the driver reports
 * @see spec/block-layer.md, section 15
 */
export async function writeNode(
  node: GraphNode,
  offset: number,
  data: Uint8Array,
  flags: WriteFlags = {},
): Promise<void> {
  checkRange(offset, data.length)
  checkWritable(node)
  if (data.length === 0) return
  const range = padRange(offset, data.length, node.limits.requestAlignment)
  const request = node.tracked.begin(range.start, range.end - range.start)
  try {
    const padded = await padWrite(node, request, range, data)
    await refuseFormatChange(node, range.start, padded)
    if (node.detectZeroes !== 'off' && node.layer.writer?.writeZeroes !== undefined && isZero(padded)) {
      const mayUnmap = node.detectZeroes === 'unmap'
      await runZeroWrite(node, range.start, padded.length, { mayUnmap, noFallback: false, fua: flags.fua ?? false })
    } else {
      await runDataWrite(node, range.start, padded, flags.fua ?? false)
    }
  } finally {
    node.tracked.end(request)
  }
}

/** Waits for its turn and gives the data widened to whole blocks; the data itself where nothing needs widening. */
export async function padWrite(
  node: GraphNode,
  request: TrackedRequest,
  range: PaddedRange,
  data: Uint8Array,
): Promise<Uint8Array> {
  const needsPadding = range.head > 0 || range.tail > 0
  // Others' writes to the same blocks between our read and our write would be lost.
  if (needsPadding) node.tracked.makeSerialising(request, node.limits.requestAlignment)
  const wait = node.tracked.wait(request)
  if (wait !== undefined) await wait
  if (!needsPadding) return data
  const buffer = new Uint8Array(range.end - range.start)
  await readPadding(node, range, buffer)
  buffer.set(data, range.head)
  return buffer
}

/**
 * A guest must not turn a raw image whose format was guessed into one of another format: the next open would believe it.
 *
 * @see spec/block-layer.md, section 5.1
 */
async function refuseFormatChange(node: GraphNode, offset: number, data: Uint8Array): Promise<void> {
  if (!node.probed || node.probeAgain === undefined || offset >= 512) return
  if (node.probeAgain(data.subarray(0, 512)) !== node.driverName) throw BlockError.fromErrno('EPERM')
}

/** Sends an aligned write to the driver in pieces, and accounts for it whether it succeeds or not. */
export async function runDataWrite(node: GraphNode, offset: number, data: Uint8Array, fua: boolean): Promise<void> {
  const { layer } = node
  const writer = layer.writer
  if (writer === undefined) throw BlockError.fromErrno('ENOTSUP')
  const { maxTransfer } = node.limits
  const driverFua = fua && writer.supportsFua === true
  try {
    await deliverEvent(node, 'pwritev')
    for (let done = 0; done < data.length; done += maxTransfer) {
      const bytes = Math.min(maxTransfer, data.length - done)
      const piece = bytes === data.length ? data : data.subarray(done, done + bytes)
      // Only the last piece needs to be durable by itself: the barrier covers those before it.
      await writer.write(offset + done, piece, { fua: driverFua && done + bytes === data.length })
    }
    await deliverEvent(node, 'pwritev_done')
  } finally {
    finishWrite(node, offset, data.length)
  }
  if (fua && !driverFua) await flushNode(node)
}
