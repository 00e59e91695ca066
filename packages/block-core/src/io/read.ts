/** One read's way through one node: checks, tracking, padding, copy-on-read. */

import type { IoBuffers, ReadFlags } from '../driver/requests.ts'
import { withBounce } from '../node/bounce-budget.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { requestBytesMax } from '../node/limits.ts'
import type { TrackedRequest } from '../node/tracked-requests.ts'
import { alignUp } from '../util/align.ts'
import { doneAtOnce } from '../util/done.ts'
import { checkTransfer, offsetMax } from './check-request.ts'
import { copyOnReadBytes, runCopyOnRead } from './copy-on-read.ts'
import { joinBytes } from './layer-io.ts'
import { clusterSizeOf } from './node-facts.ts'
import { type PaddedRange, padRange } from './padding.ts'
import { readNodeUntracked } from './read-untracked.ts'
import { bytesIn, lengthsOf, simplified } from './vectors.ts'

/**
 * Fills `into` from `offset`; bytes past the node's end read as zero.
 *
 * @throws BlockError `ENOMEDIUM` for an ejected node, `EIO` for a bad range, or whatever the driver reports
 * @see spec/block-layer.md, section 14
 */
export function readNode(node: GraphNode, offset: number, into: IoBuffers, flags?: ReadFlags): Promise<void> {
  if (flags === undefined && into instanceof Uint8Array && isPlain(node, offset, into.length)) {
    return readPlain(node, offset, into)
  }
  return readChecked(node, offset, into, flags)
}

/** Whether a read of one buffer goes to the driver as it is, without waiting for anybody. */
function isPlain(node: GraphNode, offset: number, bytes: number): boolean {
  const { requestAlignment: alignment } = node.limits
  const isInRange = offset >= 0 && bytes > 0 && bytes <= requestBytesMax && offset + bytes <= offsetMax
  // A fraction leaves a remainder too. Remainders of large numbers cost more than all the rest here.
  const isAligned = alignment === 1 ? Number.isInteger(offset) : offset % alignment === 0 && bytes % alignment === 0
  return isInRange && isAligned && node.io.copyOnReadUsers === 0 && !node.tracked.hasSerialising
}

/**
 * What the driver has done at once costs no turn, and was in nobody's way: only what goes on is tracked. It may be
 * entered late, since nobody else had a turn meanwhile and no ordinary request waits for another.
 */
function readPlain(node: GraphNode, offset: number, into: Uint8Array): Promise<void> {
  let work: Promise<void>
  try {
    work = readNodeUntracked(node, offset, into)
  } catch (error) {
    return Promise.reject(error)
  }
  return work === doneAtOnce ? work : endedWith(node, node.tracked.begin(offset, into.length), work)
}

async function endedWith(node: GraphNode, request: TrackedRequest, work: Promise<void>): Promise<void> {
  try {
    await work
  } finally {
    node.tracked.end(request)
  }
}

async function readChecked(node: GraphNode, offset: number, into: IoBuffers, flags?: ReadFlags): Promise<void> {
  const { requestAlignment: alignment } = node.limits
  const bytes = bytesIn(into)
  checkTransfer(offset, bytes)
  if (bytes === 0) return
  const copies = copiesOnRead(node, flags)
  if (flags?.prefetch === true && !copies && !passesPrefetch(node)) return
  const head = offset % alignment
  const end = offset + bytes + ((alignment - ((head + bytes) % alignment)) % alignment)
  const request = node.tracked.begin(offset - head, end - offset + head)
  try {
    if (copies) node.tracked.makeSerialising(request, clusterSizeOf(node))
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    const isWhole = into instanceof Uint8Array && head === 0 && end === offset + bytes && !copies
    if (isWhole && flags?.prefetch !== true) await readNodeUntracked(node, offset, into)
    else if (flags?.prefetch === true && !copies && node.layer.prefetch === undefined)
      await passPrefetch(node, offset, into)
    else await readInFull(node, offset, simplified(into), { copies, prefetch: flags?.prefetch === true })
  } finally {
    node.tracked.end(request)
  }
}

/** Whether a read copies: a node that cannot be written is read as if nobody had asked for it. */
export function copiesOnRead(node: GraphNode, flags: ReadFlags | undefined): boolean {
  if (flags?.copyOnRead !== true && node.io.copyOnReadUsers === 0) return false
  return !node.readOnly && node.layer.writer !== undefined
}

/** The general case: unaligned, several buffers, or copy-on-read. */
async function readInFull(
  node: GraphNode,
  offset: number,
  into: IoBuffers,
  how: { readonly copies: boolean; readonly prefetch: boolean },
): Promise<void> {
  const alignment = node.limits.requestAlignment
  const range = padRange(offset, bytesIn(into), alignment)
  const vectored = node.layer.readv !== undefined
  const lengths = [range.head, ...lengthsOf(into), range.tail].filter((length) => length > 0)
  const copyBytes = how.copies ? copyOnReadBytes(node, range) : 0
  const join = lengths.length > 1 ? joinBytes(lengths, alignment, vectored) : 0
  // All at once: who holds some of the budget may not wait for more.
  await withBounce(node.io.bounce, node, range.head + range.tail + copyBytes + join, async () => {
    const whole = widened(range, into)
    if (how.copies) await runCopyOnRead(node, range, how.prefetch ? undefined : whole)
    else if (how.prefetch) await prefetchLayer(node, range)
    else await readNodeUntracked(node, range.start, whole)
  })
}

/** Whether somebody at the node or below it, as far as filters go, may copy of its own accord. */
function passesPrefetch(node: GraphNode): boolean {
  return node.layer.prefetch !== undefined || (node.isFilter && node.chainEdge !== undefined)
}

/** No data passes a filter that has nothing to do with it: the driver is not asked. */
async function passPrefetch(node: GraphNode, offset: number, into: IoBuffers): Promise<void> {
  const below = node.chainEdge?.node
  if (below !== undefined) await readNode(below, offset, into, { prefetch: true })
}

/** For a filter that makes the node below it copy. */
async function prefetchLayer(node: GraphNode, range: PaddedRange): Promise<void> {
  const { layer, limits, length } = node
  const end = Math.min(range.end, alignUp(length, limits.requestAlignment))
  for (let at = range.start; at < end; ) {
    const bytes = Math.min(end - at, limits.maxTransfer)
    await layer.prefetch?.(at, bytes)
    at += bytes
  }
}

/** Reads only read more: the request's buffers, and something around them that takes the unaligned edges. */
function widened(range: PaddedRange, into: IoBuffers): IoBuffers {
  const { head, tail } = range
  if (head === 0 && tail === 0) return into
  const middle = into instanceof Uint8Array ? [into] : into
  return simplified([new Uint8Array(head), ...middle, new Uint8Array(tail)])
}
