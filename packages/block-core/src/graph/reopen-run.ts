/** Runs a planned reopening in phases: prepare all, permissions and children, commit all; the way back from each. */

import type { PreparedReopen, ReopenChange } from '../driver/block-layer.ts'
import { BlockError, toBlockError } from '../errors.ts'
import { flushNode } from '../io/flush.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { setBackingIn } from './backing-link.ts'
import { subtree } from './drain.ts'
import { refreshLimitsFrom, setChild } from './edge-steps.ts'
import { openFlags } from './open-options.ts'
import { mayWrite, refreshPermissions, updatePermissions } from './permission-update.ts'
import { strongOptionsOfFlat } from './refresh-filename.ts'
import { changesMode, type ReopenEntry } from './reopen-queue.ts'
import { GraphTransaction } from './transaction.ts'
import { WayBack } from './way-back.ts'

/** A node of the reopening, checked. */
export interface ReopenMember {
  readonly entry: ReopenEntry
  /** The driver's options as they are to be; `undefined`: as they are. */
  readonly options: object | undefined
  /** Children that become other nodes, or none. */
  readonly children: ReadonlyMap<string, GraphNode | undefined>
}

/** A member under way. */
interface Step extends ReopenMember {
  readonly node: GraphNode
  /** What it was, for the way back. */
  readonly before: ReopenChange
  /** What its driver agreed to, until that is committed. */
  prepared: PreparedReopen | undefined
}

/**
 * Reopens `members`, whose users are stopped: all or none.
 *
 * @param members - parents before children
 * @returns nodes that are no longer children
 * @throws BlockError as the drivers, or where permissions cannot be had; everything is as it was then
 */
export async function runReopen(members: readonly ReopenMember[]): Promise<readonly GraphNode[]> {
  for (const { entry } of members) refuseWriters(entry, members)
  const steps = members.map(stepOf)
  const way = new WayBack()
  const transaction = new GraphTransaction()
  try {
    // Parents first: a format writes what it still has to write while its file takes it.
    for (const step of steps) await prepare(step, way)
    way.add(() => goBack(transaction, steps))
    const { told, dropped } = apply(transaction, steps)
    // Children first, and locks before either: a format may write as soon as it is told that it may.
    for (const step of [...steps].reverse()) await commit(step, way)
    transaction.commit()
    for (const tell of told) tell()
    return dropped
  } catch (error) {
    throw await way.go(error)
  } finally {
    for (const { node } of steps) refreshLimitsFrom(node)
  }
}

function stepOf(member: ReopenMember): Step {
  const { node } = member.entry
  const { readOnly, flags, typedOptions } = node
  const options = member.options === undefined ? undefined : typedOptions
  return { ...member, node, before: { readOnly, flags, options }, prepared: undefined }
}

/** Members above stop writing by themselves; everybody else must have stopped. */
function refuseWriters({ node, common }: ReopenEntry, members: readonly ReopenMember[]): void {
  if (node.readOnly || !common.readOnly) return
  const isMember = (parent: GraphNode | undefined) => members.some(({ entry }) => entry.node === parent)
  if (![...node.parents].some((edge) => !isMember(edge.parent.node) && mayWrite(edge))) return
  throw new BlockError('EPERM', `Read-only block node '${node.nodeName}' cannot support read-write users`)
}

async function prepare(step: Step, way: WayBack): Promise<void> {
  const { node, options } = step
  const { readOnly } = step.entry.common
  const { layer } = node
  if (!node.readOnly) await flushed(node)
  if (layer.prepareReopen !== undefined) {
    const prepared = await layer.prepareReopen({ readOnly, options, flags: openFlags(step.entry.common, node.probed) })
    step.prepared = prepared
    // Once it is committed there is another way back.
    way.add(() => (step.prepared === prepared ? prepared.abort() : undefined))
  } else if (changesMode(step.entry) && readOnly) {
    await layer.reopen?.({ readOnly: true })
    way.add(() => layer.reopen?.({ readOnly: false }))
  }
}

/** Once a node is read-only nothing of it is ever flushed again: what it holds must be durable before. */
async function flushed(node: GraphNode): Promise<void> {
  try {
    await flushNode(node)
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Error flushing drive', { cause: error })
  }
}

/** Modes, flags and children change at once, with the permissions that follow from all of them. */
function apply(
  transaction: GraphTransaction,
  steps: readonly Step[],
): { readonly told: readonly (() => void)[]; readonly dropped: readonly GraphNode[] } {
  const dropped: GraphNode[] = []
  const incoming: GraphNode[] = []
  const told: (() => void)[] = []
  for (const step of steps) {
    setState(transaction, step)
    const { node } = step
    for (const [name, child] of step.children) {
      const edge = node.edges.get(name)
      if (edge !== undefined) dropped.push(edge.node)
      if (child !== undefined) incoming.push(child)
      if (edge === undefined || edge === node.backingEdge) told.push(setBackingIn(transaction, node, child))
      else setChild(transaction, node, edge, child)
    }
  }
  updatePermissions(transaction, [...steps.map(({ node }) => node), ...dropped, ...incoming])
  return { told, dropped }
}

/** Users that came while drivers worked are not known to the steps back: they keep what they have taken. */
function goBack(transaction: GraphTransaction, steps: readonly Step[]): void {
  transaction.rollback()
  const incoming = steps.flatMap(({ children }) => [...children.values()].filter((child) => child !== undefined))
  refreshPermissions(...subtree(...steps.map(({ node }) => node), ...incoming))
}

function setState(transaction: GraphTransaction, { node, entry, options }: Step): void {
  const { common, given } = entry
  const { readOnly, flags, detectZeroes, givenOptions, typedOptions, strongOptions, degraded } = node
  if (!readOnly && common.readOnly) transaction.turningReadOnly.add(node)
  node.readOnly = common.readOnly
  node.flags = openFlags(common, node.probed)
  node.detectZeroes = common.detectZeroes
  node.degraded = degraded && common.readOnly
  node.givenOptions = given
  if (options !== undefined) {
    node.typedOptions = options
    node.strongOptions = strongOptionsOfFlat(node, given)
  }
  transaction.undoWith(() => {
    Object.assign(node, { readOnly, flags, detectZeroes, givenOptions, typedOptions, strongOptions, degraded })
  })
}

async function commit(step: Step, way: WayBack): Promise<void> {
  const { node, before, prepared, entry } = step
  if (prepared !== undefined) {
    step.prepared = undefined
    await prepared.commit()
    way.add(async () => await (await node.layer.prepareReopen?.(before))?.commit())
  } else if (before.readOnly && !entry.common.readOnly) {
    await node.layer.reopen?.({ readOnly: false })
    way.add(() => node.layer.reopen?.({ readOnly: true }))
  }
  // What those above have written by then must be durable before the node is read-only again.
  if (before.readOnly && !entry.common.readOnly) way.add(() => flushNode(node))
}
