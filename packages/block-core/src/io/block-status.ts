/** Where the content of a range comes from: one node, a part of its chain, the whole chain. */

import type { MappingSupport } from '../driver/block-layer.ts'
import type { BlockStatus } from '../driver/requests.ts'
import { assert } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { alignDown, alignUp } from '../util/align.ts'

/** A status with the node that `hostOffset` refers to. */
export interface ResolvedStatus extends BlockStatus {
  readonly allocated: boolean
  readonly eof: boolean
  /** The node in which `hostOffset` counts. */
  readonly file: GraphNode | undefined
}

/**
 * Status of one node; its backing file is only asked how long it is.
 *
 * @param wantZero - false: allocation is all that matters
 * @returns `bytes` is 0 only at or past the end
 * @see spec/block-layer.md, section 22
 */
export async function nodeStatus(
  node: GraphNode,
  offset: number,
  bytes: number,
  wantZero: boolean,
): Promise<ResolvedStatus> {
  const { length } = node
  if (offset >= length || bytes <= 0) {
    return { bytes: 0, data: false, zero: false, allocated: false, eof: offset >= length, file: undefined }
  }
  const wanted = Math.min(bytes, length - offset)
  // It stands in nobody's way, but a drained section waits for it.
  const request = node.tracked.begin(0, 0)
  try {
    const own = await askLayer(node, offset, wanted, wantZero)
    const status =
      own.raw === true ? await followRaw(node, own, wantZero) : await completeStatus(node, offset, own, wantZero)
    return { ...status, eof: offset + status.bytes >= length }
  } finally {
    node.tracked.end(request)
  }
}

/** Asks the driver in its own alignment and cuts the answer back to the question. */
async function askLayer(node: GraphNode, offset: number, bytes: number, wantZero: boolean): Promise<BlockStatus> {
  const mapping = node.layer.mapping
  if (mapping === undefined) {
    if (node.isFilter) return { bytes, data: false, zero: false, raw: true, hostOffset: offset }
    const hostOffset = node.driver.kind === 'protocol' ? offset : undefined
    return { bytes, data: true, zero: false, hostOffset }
  }
  const alignment = node.limits.requestAlignment
  const start = alignDown(offset, alignment)
  const status = await askMapping(node, mapping, { start, bytes: alignUp(offset + bytes, alignment) - start, wantZero })
  const skipped = offset - start
  // A run without length would keep every loop over runs from ever ending.
  assert(status.bytes > skipped, `${node.driverName} answers a block status with ${status.bytes} bytes`)
  const hostOffset = status.hostOffset === undefined ? undefined : status.hostOffset + skipped
  return { ...status, hostOffset, bytes: Math.min(status.bytes - skipped, bytes) }
}

/** The driver's answer, or what is still known from an earlier one. */
async function askMapping(
  node: GraphNode,
  mapping: MappingSupport,
  query: { readonly start: number; readonly bytes: number; readonly wantZero: boolean },
): Promise<BlockStatus> {
  const { start, bytes, wantZero } = query
  if (node.edges.size > 0) return mapping.blockStatus(start, bytes, wantZero)
  const { dataRegion } = node.io
  const known = dataRegion.bytesAt(start)
  if (known > 0) return { bytes: known, data: true, zero: false, hostOffset: start }
  const { version } = dataRegion
  const status = await mapping.blockStatus(start, bytes, wantZero)
  const isPlainData = status.data && !status.zero && status.hostOffset === start && status.raw !== true
  if (wantZero && isPlainData) dataRegion.remember(version, start, status.bytes)
  return status
}

/** The node whose bytes `hostOffset` counts: a named child, the primary child, or a protocol node itself. */
function storageOf(node: GraphNode, status: BlockStatus): GraphNode | undefined {
  if (status.child !== undefined) return node.edges.get(status.child)?.node
  return node.driver.kind === 'protocol' ? node : node.primaryEdge?.node
}

async function followRaw(node: GraphNode, own: BlockStatus, wantZero: boolean): Promise<ResolvedStatus> {
  const below = storageOf(node, own)
  if (below === undefined || own.hostOffset === undefined) {
    return { bytes: own.bytes, data: true, zero: false, allocated: true, eof: false, file: undefined }
  }
  const status = await nodeStatus(below, own.hostOffset, own.bytes, wantZero)
  // The layer above is longer than its file: what is not there reads as zero.
  if (status.bytes === 0) return { ...status, bytes: own.bytes, zero: true, allocated: true, eof: false }
  return { ...status, eof: false }
}

async function completeStatus(
  node: GraphNode,
  offset: number,
  own: BlockStatus,
  wantZero: boolean,
): Promise<ResolvedStatus> {
  const file = own.hostOffset === undefined ? undefined : storageOf(node, own)
  const allocated = own.data || own.zero
  const status = { ...own, allocated, eof: false, file }
  if (!allocated && node.driver.supportsBacking === true) {
    const backing = node.backingEdge?.node
    const zero = backing === undefined || (wantZero && offset >= backing.length)
    return { ...status, zero }
  }
  if (own.recurse === true && wantZero && own.data && own.hostOffset !== undefined && file !== undefined) {
    const below = await nodeStatus(file, own.hostOffset, own.bytes, true)
    if (below.bytes === 0) return { ...status, zero: true }
    if (below.eof && below.zero) return { ...status, zero: true }
    return { ...status, bytes: below.bytes, zero: own.zero || below.zero }
  }
  return status
}

/** A status found somewhere in a chain. */
export interface ChainStatus extends ResolvedStatus {
  /** Layers visited, filters included; 1 is the top. */
  readonly depth: number
  /** The node whose content it is. */
  readonly node: GraphNode
}

/**
 * Status of `top` and of what is below it down to `base` (exclusive; `undefined`: the whole chain).
 *
 * @see spec/block-layer.md, section 23
 */
export async function chainStatus(
  top: GraphNode,
  base: GraphNode | undefined,
  offset: number,
  bytes: number,
  wantZero: boolean,
): Promise<ChainStatus> {
  let depth = 1
  let status: ChainStatus = { ...(await nodeStatus(top, offset, bytes, wantZero)), depth, node: top }
  for (let edge = top.chainEdge; edge !== undefined && edge.node !== base; edge = edge.node.chainEdge) {
    if (status.allocated || status.bytes === 0) break
    const wanted = status.bytes
    depth++
    const below = await nodeStatus(edge.node, offset, wanted, wantZero)
    // A layer too short to reach here hides everything beneath it, and reads as zero.
    status =
      below.bytes === 0
        ? { ...below, bytes: wanted, zero: true, allocated: true, depth, node: edge.node }
        : { ...below, depth, node: edge.node }
  }
  return { ...status, eof: offset + status.bytes >= top.length }
}

/** Status of one image: filters are looked through, backing files are not. */
export function blockStatusOf(
  node: GraphNode,
  offset: number,
  bytes: number,
  wantZero: boolean,
): Promise<ResolvedStatus> {
  let image = node
  while (image.isFilter && image.chainEdge !== undefined) image = image.chainEdge.node
  return chainStatus(node, image.backingEdge?.node, offset, bytes, wantZero)
}

/**
 * Whether a quick look says that the whole range reads as zero. `false` may also mean "do not know".
 *
 * @see spec/block-layer.md, section 23, is_zero_fast
 */
export async function isZeroFast(node: GraphNode, offset: number, bytes: number): Promise<boolean> {
  const wanted = Math.min(bytes, Math.max(0, node.length - offset))
  if (wanted === 0) return true
  const status = await chainStatus(node, undefined, offset, wanted, false)
  return status.zero && status.bytes >= wanted
}

/**
 * Whether the status of every part of the range says that it reads as zero, holes of files included. `false` may also
 * mean "do not know": data is never read.
 *
 * @see QEMU 7.2 block/qcow2.c: is_zero
 */
export async function readsZero(node: GraphNode, offset: number, bytes: number): Promise<boolean> {
  const end = Math.min(offset + bytes, node.length)
  for (let at = offset; at < end; ) {
    const status = await chainStatus(node, undefined, at, end - at, true)
    if (!status.zero || status.bytes === 0) return false
    at += status.bytes
  }
  return true
}
