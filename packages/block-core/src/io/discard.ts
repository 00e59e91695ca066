/** One discard's way through one node. Advisory: what cannot be discarded stays as it is. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { ResolvedLimits } from '../node/limits.ts'
import { alignDown } from '../util/align.ts'
import { checkBitmaps, checkRange } from './check-request.ts'
import { finishWrite } from './finish-write.ts'

/** Pure: length of the next piece of a discard; small unaligned edges go separately. */
export function nextDiscardPiece(offset: number, rest: number, limits: ResolvedLimits): number {
  const { discardAlignment, requestAlignment, maxDiscard } = limits
  const head = offset - alignDown(offset, discardAlignment)
  if (head !== 0) {
    const toBoundary = Math.min(rest, discardAlignment - head)
    const fragment = offset - alignDown(offset, requestAlignment)
    return fragment !== 0 ? Math.min(toBoundary, requestAlignment - fragment) : wholeOr(toBoundary, requestAlignment)
  }
  const tail = rest - alignDown(rest, discardAlignment)
  if (tail !== 0 && rest > discardAlignment) return Math.min(rest - tail, maxDiscard)
  return tail !== 0 ? wholeOr(rest, requestAlignment) : Math.min(rest, maxDiscard)
}

/** As much of `bytes` as is whole units, or all of it where there is not even one. */
function wholeOr(bytes: number, unit: number): number {
  const whole = alignDown(bytes, unit)
  return whole === 0 ? bytes : whole
}

/**
 * Tells the node that nobody needs the range's content any more. Never makes it longer.
 *
 * @throws BlockError `EPERM` on a read-only node that passes discards on, or where a bitmap could not record it, or what
 *   the driver reports; never `ENOTSUP`
 * @see spec/block-layer.md, section 17
 */
export async function discardNode(node: GraphNode, offset: number, bytes: number): Promise<void> {
  const { writer } = node.layer
  checkBitmaps(node)
  checkRange(offset, bytes)
  if (!node.flags.unmap || writer?.discard === undefined) return
  if (node.readOnly) throw BlockError.fromErrno('EPERM')
  const clamped = Math.min(bytes, Math.max(0, node.length - offset))
  if (clamped === 0) return
  const request = node.tracked.begin(offset, clamped)
  try {
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    node.io.dataRegion.invalidate(offset, clamped)
    for (let done = 0; done < clamped; ) {
      const piece = nextDiscardPiece(offset + done, clamped - done, node.limits)
      await discardPiece(() => writer.discard!(offset + done, piece))
      done += piece
    }
  } finally {
    node.io.dataRegion.invalidate(offset, clamped)
    finishWrite(node, offset, clamped)
    node.tracked.end(request)
  }
}

async function discardPiece(discard: () => Promise<void>): Promise<void> {
  try {
    await discard()
  } catch (error) {
    // A driver that cannot discard this piece leaves it allocated: that is what advisory means.
    if (!(error instanceof BlockError && error.code === 'ENOTSUP')) throw error
  }
}
