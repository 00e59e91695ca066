/** One zero write's way through one node: unaligned edges are rewritten, the middle is zeroed. */

import type { ZeroFlags } from '../driver/requests.ts'
import { BlockError } from '../errors.ts'
import { withBounce } from '../node/bounce-budget.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { checkRange, checkWritable } from './check-request.ts'
import { clusterSizeOf } from './node-facts.ts'
import { type PaddedRange, padRange, readSurroundings, surroundingsBytes } from './padding.ts'
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
  const full = {
    mayUnmap: flags.mayUnmap ?? false,
    noFallback: flags.noFallback ?? false,
    fua: flags.fua ?? false,
    unchanged: flags.unchanged ?? false,
  }
  const range = padRange(offset, bytes, alignment)
  const unaligned = range.head > 0 || range.tail > 0
  if (unaligned && full.noFallback) throw BlockError.fromErrno('ENOTSUP')
  const request = node.tracked.begin(range.start, range.end - range.start)
  try {
    if (flags.serialising === true) node.tracked.makeSerialising(request, clusterSizeOf(node))
    if (unaligned) node.tracked.makeSerialising(request, alignment)
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    node.io.threshold.check(node.nodeName, range.end)
    if (unaligned) {
      const bounce = surroundingsBytes(range, alignment)
      await withBounce(node.io.bounce, node, bounce, () => zeroUnaligned(node, range, full))
    } else {
      await runZeroWrite(node, offset, bytes, full)
    }
  } finally {
    node.tracked.end(request)
  }
}

type FullFlags = Required<RunZeroFlags>

/** Both edge blocks are read before the first write, as the reference does. */
async function zeroUnaligned(node: GraphNode, range: PaddedRange, flags: FullFlags): Promise<void> {
  const alignment = node.limits.requestAlignment
  const { head, tail, whole } = await readSurroundings(node, range)
  if (whole !== undefined) {
    await runDataWrite(node, range.start, whole.fill(0, range.head, whole.length - range.tail), flags)
    return
  }
  const middleStart = head === undefined ? range.start : range.start + alignment
  const middleEnd = tail === undefined ? range.end : range.end - alignment
  if (head !== undefined) await runDataWrite(node, range.start, head.fill(0, range.head), flags)
  if (middleEnd > middleStart) await runZeroWrite(node, middleStart, middleEnd - middleStart, flags)
  if (tail !== undefined) await runDataWrite(node, middleEnd, tail.fill(0, 0, alignment - range.tail), flags)
}
