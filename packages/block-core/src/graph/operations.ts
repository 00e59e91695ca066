/** What jobs and tools do with nodes beyond guest I/O: chains, freezing, draining, reopening. */

import type { BlockNode } from '../driver/node-view.ts'
import { chainStatus } from '../io/block-status.ts'
import { type GraphNode, graphNode } from '../node/graph-node.ts'
import type { PermissionSet } from '../node/permissions.ts'
import { backingImage, chainImages } from './backing-chain.ts'
import { beginDrain, drained } from './drain.ts'
import { cumulativePermissions } from './permission-update.ts'
import { setReadOnly } from './reopen.ts'
import { betweenReopenings } from './reopen-turn.ts'
import { freezeChain, replaceNode } from './replace.ts'

/** Status of a run between two images of a chain. */
export interface ChainAllocation {
  readonly bytes: number
  readonly data: boolean
  readonly zero: boolean
  /** Some layer above the base determines the content. */
  readonly allocated: boolean
}

/**
 * Status of the run at `offset` in `top` and below, down to `base`.
 *
 * @param base - exclusive; `undefined`: the whole chain
 * @param wantZero - false: only allocation matters
 */
export async function chainAllocation(
  top: BlockNode,
  base: BlockNode | undefined,
  offset: number,
  bytes: number,
  wantZero = true,
): Promise<ChainAllocation> {
  const below = base === undefined ? undefined : graphNode(base)
  const status = await chainStatus(graphNode(top), below, offset, bytes, wantZero)
  return { bytes: status.bytes, data: status.data, zero: status.zero, allocated: status.allocated }
}

/** The next image down the chain, filters skipped. */
export function backingImageOf(node: BlockNode): BlockNode | undefined {
  return backingImage(graphNode(node))
}

/** Every image of the chain from the top down, filters skipped. */
export function chainImagesOf(node: BlockNode): readonly BlockNode[] {
  return chainImages(graphNode(node))
}

/** What all users of `node` take together, and what every one of them shares. */
export function permissionsOf(node: BlockNode): PermissionSet {
  return cumulativePermissions(graphNode(node))
}

/** The node's cluster size in bytes; `undefined` where its format has none. */
export function clusterSizeOf(node: BlockNode): number | undefined {
  return graphNode(node).layer.info?.().clusterSize
}

/**
 * Freezes the links from `top` down to `base`.
 *
 * @returns what undoes it
 * @throws BlockError `EPERM` where somebody else froze one
 */
export function freezeBackingChain(top: BlockNode, base: BlockNode): () => void {
  return freezeChain(graphNode(top), graphNode(base))
}

/** From now on no link to `node` may be frozen: for who has put it in and will take it out again. */
export function neverFreeze(node: BlockNode): void {
  graphNode(node).neverFreeze = true
}

/** Runs `section` while no user of `node` has a request in flight. */
export function drainedNode<T>(node: BlockNode, section: () => Promise<T>): Promise<T> {
  return drained([graphNode(node)], section)
}

/** Stops all users of `node` and waits for their requests. @returns what lets them go on, wherever they are by then */
export function drainNode(node: BlockNode): Promise<() => void> {
  return beginDrain(graphNode(node))
}

/** Whether the node can make a range read as zero without writing data (active commits do not throttle such writes). */
export function zeroesByUnmapping(node: BlockNode): boolean {
  const { layer, flags } = graphNode(node)
  return flags.unmap && layer.writer?.zeroFlags?.mayUnmap === true
}

/**
 * Moves all users of `from` (backends, other nodes) to `to`, but not `to`'s own chain. At once, unless one of the nodes or
 * of their users is being reopened: then when that is over.
 *
 * @param stays - users that are not to move, by their edge's name (`source`, `main node` …: a job's own)
 * @throws BlockError `EPERM` for a frozen link or a permission conflict; nothing has moved then
 */
export async function moveUsers(
  from: BlockNode,
  to: BlockNode,
  stays: (childName: string) => boolean = () => false,
): Promise<void> {
  const [source, target] = [graphNode(from), graphNode(to)]
  const concerned = (): GraphNode[] => {
    const above = [...source.parents].flatMap(({ parent }) => (parent.node === undefined ? [] : [parent.node]))
    return [source, target, ...above]
  }
  await betweenReopenings(concerned, () => replaceNode(source, target, (edge) => !stays(edge.name)))
}

/**
 * Makes a node and the files it was opened with read-only or writable.
 *
 * @throws BlockError `EACCES`, the lock message, or `… does not support reopening files`; nothing has changed then
 */
export function reopenReadOnly(node: BlockNode, readOnly: boolean): Promise<void> {
  return setReadOnly(graphNode(node), readOnly)
}
