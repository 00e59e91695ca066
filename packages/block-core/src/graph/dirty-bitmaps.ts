/** Dirty bitmaps as users know them: by node and name, with checks, and as parts of a transaction. */

import { checkGranularity, checkUsable, defaultGranularity, isNameTooLong } from '../dirty-bitmap/bitmap-rules.ts'
import type { DirtyBitmap } from '../dirty-bitmap/dirty-bitmap.ts'
import {
  addBitmap,
  bitmapFacts,
  checkNameFree,
  type DirtyBitmapFacts,
  findBitmap,
} from '../dirty-bitmap/node-bitmaps.ts'
import { abdicate, createSuccessor, reclaim } from '../dirty-bitmap/successor.ts'
import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { type GraphNode, graphNode } from '../node/graph-node.ts'

/** A bitmap to be added. */
export interface NewDirtyBitmap {
  /** At most 1023 bytes; unique on the node. */
  readonly name: string
  /** Bytes per bit; default: the node's cluster size, at least 4096 and at most 65536. */
  readonly granularity?: number | undefined
  /** The image keeps it. Default false. */
  readonly persistent?: boolean | undefined
  /** It begins to record only when it is enabled. Default false. */
  readonly disabled?: boolean | undefined
}

/** One action on a named bitmap of a node. */
export type BitmapAction =
  | ({ readonly type: 'add' } & NewDirtyBitmap)
  | { readonly type: 'remove' | 'clear' | 'enable' | 'disable'; readonly name: string }
  /** Sources of the same node, or of others. */
  | { readonly type: 'merge'; readonly name: string; readonly sources: readonly (string | BitmapReference)[] }

/** A named bitmap of a node. */
export interface BitmapReference {
  readonly node: BlockNode
  readonly name: string
}

/** An action that is done, and can still be undone. Exactly one of the two must be called. */
export interface PreparedBitmapAction {
  commit(): void
  /** What was written since the action stays recorded. */
  undo(): void
}

/**
 * Does an action in such a way that it can be undone: a part of a transaction.
 *
 * @throws BlockError with the reference's messages; nothing has changed then
 * @see spec/block-layer.md, section 27
 */
export async function prepareBitmapAction(node: BlockNode, action: BitmapAction): Promise<PreparedBitmapAction> {
  const target = graphNode(node)
  switch (action.type) {
    case 'add':
      return prepareAdd(target, action)
    case 'remove':
      return prepareRemove(target, action.name)
    case 'clear':
      return prepareMerge(target, action.name, undefined)
    case 'merge':
      return prepareMerge(target, action.name, action.sources)
    case 'enable':
      return prepareEnable(target, action.name, true)
    case 'disable':
      return prepareEnable(target, action.name, false)
  }
}

/** Does an action. @throws BlockError as `prepareBitmapAction` */
export async function changeDirtyBitmap(node: BlockNode, action: BitmapAction): Promise<void> {
  const prepared = await prepareBitmapAction(node, action)
  prepared.commit()
}

/** The node's bitmap of that name. @throws BlockError `ENOENT` `Dirty bitmap '…' not found` */
export function dirtyBitmapOf(node: BlockNode, name: string): DirtyBitmap {
  return findBitmap(graphNode(node).dirtyBitmaps, name)
}

/** What a query tells of the node's bitmaps, the youngest first; those of jobs have no name. */
export function dirtyBitmapFacts(node: BlockNode): readonly DirtyBitmapFacts[] {
  return bitmapFacts(graphNode(node).dirtyBitmaps)
}

/** A bitmap without a name that records every write to `node` from now on, and what ends it. */
export function createDirtyBitmap(node: BlockNode, granularity: number): { bitmap: DirtyBitmap; remove: () => void } {
  const target = graphNode(node)
  const bitmap = addBitmap(target.dirtyBitmaps, { length: target.length, granularity })
  return { bitmap, remove: () => void target.dirtyBitmaps.delete(bitmap) }
}

/** How a job's work with a bitmap can end. Exactly one of the two must be called. */
export interface BitmapSuccession {
  /** As it was when the job began; nothing is recorded here meanwhile. */
  readonly bitmap: DirtyBitmap
  /** The job succeeded: the bitmap now holds what was written since it began. */
  abdicate(): void
  /** The job failed: the bitmap holds all. */
  reclaim(): void
}

/**
 * Lends a bitmap to a job; for users it is busy meanwhile, and what is written goes to a successor.
 *
 * @throws BlockError where there is none of that name, or it is busy, read-only or inconsistent
 */
export function lendDirtyBitmap(node: BlockNode, name: string): BitmapSuccession {
  const { dirtyBitmaps } = graphNode(node)
  const bitmap = findBitmap(dirtyBitmaps, name)
  createSuccessor(dirtyBitmaps, bitmap)
  return {
    bitmap,
    abdicate: () => void abdicate(dirtyBitmaps, bitmap),
    reclaim: () => reclaim(dirtyBitmaps, bitmap),
  }
}

async function prepareAdd(node: GraphNode, added: NewDirtyBitmap): Promise<PreparedBitmapAction> {
  const { name, persistent = false } = added
  if (name === '') throw new BlockError('EINVAL', 'Bitmap name cannot be empty')
  const granularity = added.granularity ?? defaultGranularity(node.layer.info?.().clusterSize)
  checkGranularity(granularity)
  if (persistent) await checkStorable(node, name, granularity)
  const bitmap = addBitmap(node.dirtyBitmaps, { length: node.length, granularity, name })
  bitmap.persistent = persistent
  bitmap.enabled = added.disabled !== true
  return { commit: () => {}, undo: () => void node.dirtyBitmaps.delete(bitmap) }
}

async function checkStorable(node: GraphNode, name: string, granularity: number): Promise<void> {
  const { bitmaps } = node.layer
  if (bitmaps === undefined) {
    throw BlockError.withErrno('ENOTSUP', `Can't store persistent bitmaps to ${node.nodeName}`)
  }
  checkNameFree(node.dirtyBitmaps, name)
  try {
    if (isNameTooLong(name)) throw new BlockError('EINVAL', 'Name length exceeds maximum (1023 characters)')
    await bitmaps.checkNew(name, granularity)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw error.prepend(`Can't make bitmap '${name}' persistent in '${node.nodeName}': `)
  }
}

/** The image forgets it at once; an undone removal is stored again when the node is closed, as every persistent one. */
async function prepareRemove(node: GraphNode, name: string): Promise<PreparedBitmapAction> {
  const bitmap = findBitmap(node.dirtyBitmaps, name)
  checkUsable(bitmap, { inconsistent: true })
  bitmap.busy = true
  try {
    if (bitmap.persistent) await node.layer.bitmaps?.remove(name)
  } catch (error) {
    bitmap.busy = false
    throw error
  }
  return {
    commit: () => void node.dirtyBitmaps.delete(bitmap),
    undo: () => {
      bitmap.busy = false
    },
  }
}

function prepareEnable(node: GraphNode, name: string, enabled: boolean): PreparedBitmapAction {
  const bitmap = findBitmap(node.dirtyBitmaps, name)
  checkUsable(bitmap, { readOnly: true })
  const before = bitmap.enabled
  bitmap.enabled = enabled
  return {
    commit: () => {},
    undo: () => {
      bitmap.enabled = before
    },
  }
}

/** @param sources - `undefined`: the bitmap is cleared */
function prepareMerge(
  node: GraphNode,
  name: string,
  sources: readonly (string | BitmapReference)[] | undefined,
): PreparedBitmapAction {
  const bitmap = findBitmap(node.dirtyBitmaps, name)
  // Every source is looked at before the first bit changes.
  const merged = sources?.map((source) => sourceOf(node, bitmap, source))
  checkUsable(bitmap)
  const { undo, forget } = bitmap.keepBits()
  if (merged === undefined) bitmap.clear()
  else for (const source of merged) bitmap.merge(source)
  return { commit: forget, undo }
}

function sourceOf(node: GraphNode, into: DirtyBitmap, reference: string | BitmapReference): DirtyBitmap {
  const source =
    typeof reference === 'string'
      ? findBitmap(node.dirtyBitmaps, reference)
      : findBitmap(graphNode(reference.node).dirtyBitmaps, reference.name)
  // That a source is missing is told before what is wrong with the target.
  checkUsable(into)
  checkUsable(source, { readOnly: true })
  if (source.length !== into.length) {
    const sizes = `destination size is ${into.length}, source size is ${source.length}`
    throw new BlockError('EINVAL', `Bitmaps are of different sizes (${sizes}) and can't be merged`)
  }
  return source
}
