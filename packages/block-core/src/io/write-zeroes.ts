/** One zero write's way through one node: unaligned edges are rewritten, the middle is zeroed. */

import type { ZeroFlags } from '../driver/block-layer.ts'
import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { alignDown, alignUp } from '../util/align.ts'
import { checkRange, checkWritable } from './check-request.ts'
import { padRange, readPadding } from './padding.ts'
import { runDataWrite } from './write.ts'
import { type RunZeroFlags, runZeroWrite } from './zero-write.ts'

/**
 * Makes a range read as zero.
 *
 * @throws BlockError `ENOTSUP` with `noFallback` where it would take a data write
 * @see spec/block-layer.md, section 16
 */
export async function writeZeroesNode(
  node: GraphNode,
  offset: number,
  bytes: number,
  flags: ZeroFlags = {},
): Promise<void> {
  const { requestAlignment: alignment } = node.limits
  checkRange(offset, bytes)
  checkWritable(node)
  if (bytes === 0) return
  const full = { mayUnmap: flags.mayUnmap ?? false, noFallback: flags.noFallback ?? false, fua: flags.fua ?? false }
  const range = padRange(offset, bytes, alignment)
  const unaligned = range.head > 0 || range.tail > 0
  if (unaligned && full.noFallback) throw BlockError.fromErrno('ENOTSUP')
  const request = node.tracked.begin(range.start, range.end - range.start)
  try {
    if (unaligned) node.tracked.makeSerialising(request, alignment)
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    if (unaligned) await zeroUnaligned(node, offset, bytes, full)
    else await runZeroWrite(node, offset, bytes, full)
  } finally {
    node.tracked.end(request)
  }
}

type FullFlags = RunZeroFlags

async function zeroUnaligned(node: GraphNode, offset: number, bytes: number, flags: FullFlags): Promise<void> {
  const alignment = node.limits.requestAlignment
  const range = padRange(offset, bytes, alignment)
  const blocks = (range.end - range.start) / alignment
  if (blocks === 1 || (blocks === 2 && range.head > 0 && range.tail > 0)) {
    const buffer = new Uint8Array(range.end - range.start)
    await readPadding(node, range, buffer)
    buffer.fill(0, range.head, range.head + bytes)
    await runDataWrite(node, range.start, buffer, flags.fua)
    return
  }
  const middleStart = alignUp(offset, alignment)
  const middleEnd = alignDown(offset + bytes, alignment)
  // Both edge blocks are read before the first write, as the reference does.
  const head = await edgeBlock(node, range.head > 0, { ...range, tail: 0, end: range.start + alignment })
  const tail = await edgeBlock(node, range.tail > 0, { ...range, head: 0, start: range.end - alignment })
  if (head !== undefined) await runDataWrite(node, range.start, head.fill(0, range.head), flags.fua)
  if (middleEnd > middleStart) await runZeroWrite(node, middleStart, middleEnd - middleStart, flags)
  if (tail !== undefined) await runDataWrite(node, middleEnd, tail.fill(0, 0, alignment - range.tail), flags.fua)
}

async function edgeBlock(
  node: GraphNode,
  needed: boolean,
  range: { start: number; end: number; head: number; tail: number },
): Promise<Uint8Array | undefined> {
  if (!needed) return undefined
  const block = new Uint8Array(node.limits.requestAlignment)
  await readPadding(node, range, block)
  return block
}
