/** One data write's way through one node: padding, serialising, splitting, durability. */

import type { IoBuffers, WriteFlags } from '../driver/block-layer.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { isZero } from '../util/bytes.ts'
import { checkTransfer, checkWritable } from './check-request.ts'
import { runAccounted } from './finish-write.ts'
import { type PaddedRange, padRange, readPadding } from './padding.ts'
import { joined } from './vectors.ts'
import { runZeroWrite } from './zero-write.ts'

/** Bytes from which a format is guessed. */
const probeBytes = 512

/**
 * Writes `data` at `offset`. A write past the end makes nodes longer that can be (files).
 *
 * @throws BlockError `EPERM` on a read-only node, `ENOMEDIUM`, or what the driver reports
 * @see spec/block-layer.md, section 15
 */
export async function writeNode(
  node: GraphNode,
  offset: number,
  buffers: IoBuffers,
  flags: WriteFlags = {},
): Promise<void> {
  const data = joined(buffers)
  const { layer } = node
  checkTransfer(offset, data.length)
  checkWritable(node)
  if (data.length === 0) return
  const range = padRange(offset, data.length, node.limits.requestAlignment)
  const needsPadding = range.head > 0 || range.tail > 0
  const request = node.tracked.begin(range.start, range.end - range.start)
  try {
    // Others' writes to the same blocks between our read and our write would be lost.
    if (needsPadding) node.tracked.makeSerialising(request, node.limits.requestAlignment)
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    const padded = needsPadding ? await widened(node, range, data) : data
    if (node.detectZeroes !== 'off' && layer.writer?.writeZeroes !== undefined && isZero(padded)) {
      const mayUnmap = node.detectZeroes === 'unmap'
      await runZeroWrite(node, range.start, padded.length, { mayUnmap, noFallback: false, fua: flags.fua ?? false })
    } else {
      await runDataWrite(node, range.start, padded, flags.fua ?? false)
    }
  } finally {
    node.tracked.end(request)
  }
}

/** The data with what stands around it in its first and last block. */
async function widened(node: GraphNode, range: PaddedRange, data: Uint8Array): Promise<Uint8Array> {
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
function refuseFormatChange(node: GraphNode, offset: number, data: Uint8Array): void {
  if (node.probeAgain === undefined || offset >= probeBytes) return
  // The node's requests are whole sectors, so a request that begins in the first one begins at 0.
  if (node.probeAgain(data.subarray(0, probeBytes)) !== node.driverName) throw BlockError.fromErrno('EPERM')
}

/** Sends an aligned write to the driver in pieces. */
export async function runDataWrite(node: GraphNode, offset: number, data: Uint8Array, fua: boolean): Promise<void> {
  const writer = node.layer.writer
  if (writer === undefined) throw BlockError.fromErrno('ENOTSUP')
  refuseFormatChange(node, offset, data)
  const { maxTransfer } = node.limits
  // A driver that makes writes durable does so for each piece; the core's flush covers them all.
  const flags = { fua: fua && writer.supportsFua === true }
  const accounted = { event: 'pwritev', offset, bytes: data.length, flush: fua && !flags.fua } as const
  await runAccounted(node, accounted, async () => {
    for (let done = 0; done < data.length; done += maxTransfer) {
      const bytes = Math.min(maxTransfer, data.length - done)
      await writer.write(offset + done, bytes === data.length ? data : data.subarray(done, done + bytes), flags)
    }
  })
}
