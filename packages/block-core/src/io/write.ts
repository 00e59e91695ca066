/** One data write's way through one node: padding, serialising, durability. */

import type { IoBuffers, WriteFlags } from '../driver/requests.ts'
import { BlockError } from '../errors.ts'
import { withBounce } from '../node/bounce-budget.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { isZero } from '../util/bytes.ts'
import { checkTransfer, checkWritable } from './check-request.ts'
import { runAccounted } from './finish-write.ts'
import { joinBytes, writeLayer } from './layer-io.ts'
import { clusterSizeOf } from './node-facts.ts'
import { type PaddedRange, padRange, readSurroundings, surroundingsBytes } from './padding.ts'
import { bytesIn, gather, joined, lengthsOf, simplified, sliceOf } from './vectors.ts'
import { runZeroWrite } from './zero-write.ts'

/** Bytes from which a format is guessed. */
const probeBytes = 512
/** Flags of nearly all writes. */
const noFlags: WriteFlags = {}

/**
 * Writes `data` at `offset`. A write past the end makes nodes longer that can be (files).
 *
 * @throws BlockError `ENOMEDIUM`, `EIO` or `EFBIG` for a bad range, `EPERM` on a read-only node, or what the driver reports
 * @see spec/block-layer.md, section 15
 */
export async function writeNode(
  node: GraphNode,
  offset: number,
  data: IoBuffers,
  flags: WriteFlags = noFlags,
): Promise<void> {
  const { requestAlignment: alignment } = node.limits
  const bytes = bytesIn(data)
  checkTransfer(offset, bytes)
  checkWritable(node)
  if (bytes === 0) return
  const head = offset % alignment
  const end = offset + bytes + ((alignment - ((head + bytes) % alignment)) % alignment)
  const isAligned = head === 0 && end === offset + bytes
  const request = node.tracked.begin(offset - head, end - offset + head)
  try {
    if (flags.serialising === true) node.tracked.makeSerialising(request, clusterSizeOf(node))
    // Others' writes to the same blocks between our read and our write would be lost.
    if (!isAligned) node.tracked.makeSerialising(request, alignment)
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    node.io.threshold.check(node.nodeName, end)
    if (isAligned && data instanceof Uint8Array) await runWrite(node, offset, data, flags)
    else await writeInFull(node, offset, simplified(data), flags)
  } finally {
    node.tracked.end(request)
  }
}

/** The general case: unaligned, or several buffers. */
async function writeInFull(node: GraphNode, offset: number, data: IoBuffers, flags: WriteFlags): Promise<void> {
  const alignment = node.limits.requestAlignment
  const range = padRange(offset, bytesIn(data), alignment)
  const vectored = node.layer.writer?.writev !== undefined
  const lengths = [range.head, ...lengthsOf(data), range.tail].filter((length) => length > 0)
  const join = lengths.length > 1 ? joinBytes(lengths, alignment, vectored) : 0
  // All at once: who holds some of the budget may not wait for more.
  await withBounce(node.io.bounce, node, surroundingsBytes(range, alignment) + join, async () => {
    const whole = range.head > 0 || range.tail > 0 ? await widened(node, range, data) : data
    await runWrite(node, range.start, whole, flags)
  })
}

/** The data with what stands around it in its first and last block; only those are copied. */
async function widened(node: GraphNode, range: PaddedRange, data: IoBuffers): Promise<IoBuffers> {
  const { head, tail, whole } = await readSurroundings(node, range)
  if (whole !== undefined) {
    gather(data, whole, range.head)
    return whole
  }
  const middle = data instanceof Uint8Array ? [data] : data
  return [
    ...(head === undefined ? [] : [head.subarray(0, range.head)]),
    ...middle,
    ...(tail === undefined ? [] : [tail.subarray(tail.length - range.tail)]),
  ]
}

/** The aligned write, or the zero write that it really is. */
function runWrite(node: GraphNode, offset: number, data: IoBuffers, flags: WriteFlags): Promise<void> {
  const fua = flags.fua === true
  const unchanged = flags.unchanged === true
  if (node.detectZeroes !== 'off' && node.layer.writer?.writeZeroes !== undefined && allZero(data)) {
    const mayUnmap = node.detectZeroes === 'unmap'
    return runZeroWrite(node, offset, bytesIn(data), { mayUnmap, noFallback: false, fua, unchanged })
  }
  return runDataWrite(node, offset, data, { fua, unchanged })
}

function allZero(data: IoBuffers): boolean {
  return data instanceof Uint8Array ? isZero(data) : data.every(isZero)
}

/**
 * A guest must not turn a raw image whose format was guessed into one of another format: the next open would believe it.
 *
 * @see spec/block-layer.md, section 5.1
 */
function refuseFormatChange(node: GraphNode, offset: number, data: IoBuffers): void {
  if (node.probeAgain === undefined || offset >= probeBytes) return
  // The node's requests are whole sectors, so a request that begins in the first one begins at 0.
  const head = joined(sliceOf(data, 0, Math.min(probeBytes, bytesIn(data))))
  if (node.probeAgain(head) !== node.driverName) throw BlockError.fromErrno('EPERM')
}

/** Flags of a write between the core and the driver. */
export interface RunFlags {
  readonly fua: boolean
  readonly unchanged: boolean
}

/** What drivers get for the flags that are nearly always given. */
const plainFlags = { fua: false } as const
const fuaFlags = { fua: true } as const

/** Sends an aligned write to the driver. Whoever calls holds what joining the buffers takes of the budget. */
export async function runDataWrite(node: GraphNode, offset: number, data: IoBuffers, flags: RunFlags): Promise<void> {
  const { layer, limits } = node
  const { writer } = layer
  if (writer === undefined) throw BlockError.fromErrno('ENOTSUP')
  refuseFormatChange(node, offset, data)
  // A driver that makes writes durable does so for each piece; the core's flush covers them all.
  const driverFua = flags.fua && writer.supportsFua === true
  const plain = driverFua ? fuaFlags : plainFlags
  const request = { offset, data, flags: flags.unchanged ? { ...plain, unchanged: true } : plain }
  const accounted = { event: 'pwritev', offset, bytes: bytesIn(data), flush: flags.fua && !driverFua } as const
  await runAccounted(node, accounted, () => writeLayer(writer, limits, request))
}
