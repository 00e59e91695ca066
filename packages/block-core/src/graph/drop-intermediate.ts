/** Takes images out of the middle of a chain: who stood on the topmost of them stands on the one below all of them. */

import type { BackingReference } from '../driver/node-view.ts'
import { assert, BlockError } from '../errors.ts'
import type { GraphNode, NodeEdge } from '../node/graph-node.ts'
import { closeUnused } from './attach.ts'
import { chainContains } from './backing-chain.ts'
import { rewriteBacking } from './change-backing.ts'
import { drained } from './drain.ts'
import type { GraphCore } from './graph-core.ts'
import { updatePermissions } from './permission-update.ts'
import { reopening } from './reopen-turn.ts'
import { moveParents } from './replace.ts'
import { type GraphTransaction, inTransaction } from './transaction.ts'

/** How images are dropped. */
export interface DropOptions {
  /** The base's name as overlays are to record it. Default: the base's file name. */
  readonly backingFile?: string | undefined
  /** Users of the topmost image that are to stay with it, by the name of their edge (a job's own). */
  readonly stays?: ((childName: string) => boolean) | undefined
}

/**
 * Drops the images from `top` down to `base`, `base` itself stays: the users of `top` go on with `base`, and every
 * overlay among them records `base` as its backing file, with the base's driver as format. What guests read must be in
 * `base` by then. Images that nobody else holds are closed.
 *
 * What images record is changed before the graph is: a crash, or an error, leaves overlays that name `top` or `base`,
 * and the guest reads the same through both. After an error all is as before, where the disk lets it. (The reference
 * changes the graph first, and leaves it changed.)
 *
 * @throws BlockError `EPERM` `Should not change '<edge>' link to '<top>'` for a user that cannot move, `Cannot change
 *   '<edge>' link to '<top>'` for a frozen link; `EINVAL` where the chain is taken apart meanwhile; `Could not update backing file link: …`; a permission conflict
 * @see spec/block-layer.md, section 25.2, drop_intermediate
 */
export async function dropIntermediate(
  core: GraphCore,
  top: GraphNode,
  base: GraphNode,
  options: DropOptions = {},
): Promise<void> {
  assert(top !== base && chainContains(top, base), `node '${base.nodeName}' is not below '${top.nodeName}'`)
  const stays = options.stays ?? (() => false)
  await drained([top, base], async () => {
    const record = { filename: options.backingFile ?? base.filename, format: base.driverName }
    const told: Told[] = []
    try {
      // Asked again after each wait: others may have come to stand on `top`, or taken the chain apart.
      for (;;) {
        const busy = reopening([top, base])
        const next = busy === undefined ? untold(top, base, stays, told) : undefined
        if (busy !== undefined) await busy
        else if (next !== undefined) await tell(next, record, told)
        else break
      }
      inTransaction((transaction) => moveTo(transaction, top, base, stays))
    } catch (error) {
      await takeBack(told, error)
    }
  })
  await closeUnused(core, top)
}

/**
 * The next overlay that has not been told yet.
 *
 * @throws BlockError where a user of `top` cannot move, or `base` is not below it
 */
function untold(
  top: GraphNode,
  base: GraphNode,
  stays: (childName: string) => boolean,
  told: readonly Told[],
): GraphNode | undefined {
  if (!chainContains(top, base)) {
    throw new BlockError('EINVAL', `Node '${base.nodeName}' is not in the backing chain of '${top.nodeName}'`)
  }
  const movers = [...top.parents].filter((edge) => !stays(edge.name))
  for (const edge of movers) refuseStuck(edge, top)
  return overlaysAbove(movers).find((overlay) => told.every((each) => each.overlay !== overlay))
}

/** @throws BlockError `EPERM` for a user that must stay where it is */
function refuseStuck(edge: NodeEdge, top: GraphNode): void {
  if (edge.parent.isJob === true) {
    throw new BlockError('EPERM', `Should not change '${edge.name}' link to '${top.nodeName}'`)
  }
  if (edge.frozen) throw new BlockError('EPERM', `Cannot change '${edge.name}' link to '${top.nodeName}'`)
}

/** Images whose backing file hangs on one of `edges`, filters between them looked through; each once. */
function overlaysAbove(edges: Iterable<NodeEdge>): GraphNode[] {
  const found = new Set<GraphNode>()
  for (const edge of edges) {
    const parent = edge.parent.node
    if (parent === undefined) continue
    if (parent.backingEdge === edge) found.add(parent)
    else if (parent.isFilter && parent.chainEdge === edge) {
      for (const overlay of overlaysAbove(parent.parents)) found.add(overlay)
    }
  }
  return [...found]
}

/** An overlay that was told, and what it recorded before. */
interface Told {
  readonly overlay: GraphNode
  readonly before: BackingReference | undefined
  readonly implicit: string | undefined
}

/** Has an overlay record `base`. @throws BlockError `Could not update backing file link: …` */
async function tell(overlay: GraphNode, base: BackingReference, told: Told[]): Promise<void> {
  told.push({ overlay, before: overlay.backingReference, implicit: overlay.implicitBackingFilename })
  try {
    await rewriteBacking(overlay, base)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw BlockError.withErrno(error.code, 'Could not update backing file link', { cause: error })
  }
}

/** @throws always: `first`, with what went wrong on the way back beside it */
async function takeBack(told: readonly Told[], first: unknown): Promise<never> {
  const failures: unknown[] = []
  for (const { overlay, before, implicit } of [...told].reverse()) {
    const now = overlay.backingReference
    if (now?.filename === before?.filename && now?.format === before?.format) continue
    try {
      await rewriteBacking(overlay, before ?? {})
      overlay.implicitBackingFilename = implicit
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length === 0 || !(first instanceof BlockError)) throw first
  const cause = new AggregateError([first, ...failures], 'the way back failed too')
  throw new BlockError(first.code, first.message, { cause, hint: first.hint })
}

function moveTo(
  transaction: GraphTransaction,
  top: GraphNode,
  base: GraphNode,
  stays: (childName: string) => boolean,
): void {
  moveParents(transaction, top, base, (edge) => !stays(edge.name))
  // The images between are about to go: whoever opened them inline has opened the base that way, too.
  const origin = base.inheritsFrom
  if (origin !== undefined && chainContains(top, origin)) {
    base.inheritsFrom = top.inheritsFrom
    transaction.undoWith(() => {
      base.inheritsFrom = origin
    })
  }
  updatePermissions(transaction, [top, base])
}
