/** The extents of a device through its backing chain (`qemu-img map`). */

import type { BlockNode } from '../driver/node-view.ts'
import { backingImage, skipFilters } from '../graph/backing-chain.ts'
import { chainStatus, nodeStatus } from '../io/block-status.ts'
import type { GraphNode } from '../node/graph-node.ts'

/** One run of a device. */
export interface Extent {
  /** Guest offset in bytes. */
  readonly start: number
  readonly bytes: number
  /** 0 is the top of the chain; filters do not count. */
  readonly depth: number
  /** Some layer of the chain determines the content. */
  readonly present: boolean
  readonly zero: boolean
  readonly data: boolean
  readonly compressed: boolean
  /** Where the run lies in `file`. */
  readonly hostOffset: number | undefined
  /** The node in which `hostOffset` counts. */
  readonly file: BlockNode | undefined
}

/** The longest run asked for at once: keeps one answer within what every driver can count. */
const stepMax = 2 ** 30

/** Status of one run: walks down image by image until one has the content. */
export async function blockStatus(top: GraphNode, offset: number, bytes: number): Promise<Extent> {
  let image: GraphNode = top
  let depth = 0
  let wanted = Math.min(bytes, stepMax, Math.max(0, top.length - offset))
  for (;;) {
    const status = await imageStatus(image, offset, wanted)
    wanted = Math.min(wanted, status.bytes)
    const below = backingImage(image)
    if (status.zero || status.data || below === undefined || wanted === 0) {
      const { zero, data, allocated, compressed, hostOffset, file } = status
      return {
        start: offset,
        bytes: wanted,
        depth,
        present: allocated,
        zero,
        data,
        compressed: compressed ?? false,
        // A place that holds neither data nor zeroes is none (null drivers).
        hostOffset: zero || data ? hostOffset : undefined,
        file: zero || data ? file : undefined,
      }
    }
    image = below
    depth++
  }
}

function imageStatus(node: GraphNode, offset: number, bytes: number): ReturnType<typeof nodeStatus> {
  const image = skipFilters(node)
  return image === node
    ? nodeStatus(node, offset, bytes, true)
    : chainStatus(node, image.backingEdge?.node, offset, bytes, true)
}

/**
 * All extents of a range, neighbours of the same kind merged; ends where the disk ends by then.
 *
 * @param ask - gives the status of one run, without length at the end of the disk
 */
export async function* mapRuns(
  ask: (offset: number, bytes: number) => Promise<Extent>,
  offset: number,
  bytes: number,
): AsyncGenerator<Extent> {
  const end = offset + bytes
  let pending: Extent | undefined
  for (let at = offset; at < end; ) {
    const next = await ask(at, end - at)
    if (next.bytes === 0) break
    at += next.bytes
    if (pending !== undefined && continues(pending, next)) {
      pending = { ...pending, bytes: pending.bytes + next.bytes }
      continue
    }
    if (pending !== undefined) yield pending
    pending = next
  }
  if (pending !== undefined) yield pending
}

function continues(a: Extent, b: Extent): boolean {
  if (a.zero !== b.zero || a.data !== b.data || a.present !== b.present) return false
  if (a.depth !== b.depth || a.compressed !== b.compressed || a.file !== b.file) return false
  if (a.hostOffset === undefined || b.hostOffset === undefined) return a.hostOffset === b.hostOffset
  return a.hostOffset + a.bytes === b.hostOffset
}
