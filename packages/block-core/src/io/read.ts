/** One read's way through one node: checks, tracking, padding. */

import type { IoBuffers, ReadFlags } from '../driver/block-layer.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { checkTransfer } from './check-request.ts'
import { padRange } from './padding.ts'
import { readNodeUntracked } from './read-untracked.ts'
import { bytesIn, scatter, simplified } from './vectors.ts'

/**
 * Fills `into` from `offset`; bytes past the node's end read as zero.
 *
 * @throws BlockError whatever the driver reports; `ENOMEDIUM` for an ejected node
 * @see spec/block-layer.md, section 14
 */
export function readNode(node: GraphNode, offset: number, into: IoBuffers, _flags?: ReadFlags): Promise<void> {
  return into instanceof Uint8Array ? readBuffer(node, offset, into) : readVector(node, offset, simplified(into))
}

async function readVector(node: GraphNode, offset: number, into: IoBuffers): Promise<void> {
  if (into instanceof Uint8Array) return readBuffer(node, offset, into)
  const bounce = new Uint8Array(bytesIn(into))
  await readBuffer(node, offset, bounce)
  scatter(bounce, into)
}

async function readBuffer(node: GraphNode, offset: number, into: Uint8Array): Promise<void> {
  const { requestAlignment: alignment } = node.limits
  checkTransfer(offset, into.length)
  if (into.length === 0) return
  const { start, end, head, tail } = padRange(offset, into.length, alignment)
  const request = node.tracked.begin(start, end - start)
  try {
    const wait = node.tracked.wait(request)
    if (wait !== undefined) await wait
    if (head === 0 && tail === 0) {
      await readNodeUntracked(node, offset, into)
      return
    }
    // Reads only read more: the unaligned edges land in a bounce buffer.
    const bounce = new Uint8Array(end - start)
    await readNodeUntracked(node, start, bounce)
    into.set(bounce.subarray(head, head + into.length))
  } finally {
    node.tracked.end(request)
  }
}
