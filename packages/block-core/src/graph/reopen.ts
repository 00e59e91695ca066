/** Switches open nodes between read-only and writable, all of a tree or none of it. */

import { BlockError } from '../errors.ts'
import { ChildRoles } from '../driver/child.ts'
import { flushNode } from '../io/flush.ts'
import type { GraphNode } from '../node/graph-node.ts'
import { beginDrain } from './drain.ts'
import { mayWrite, refreshPermissions } from './permission-update.ts'

/**
 * Makes `node`, and the children that were opened with it, read-only or writable. Their users are stopped meanwhile.
 *
 * @throws BlockError `EINVAL` where a driver cannot, `EPERM` where somebody still writes, `EACCES`, or the lock message;
 *   everything is as it was then
 * @see spec/block-layer.md, section 28
 */
export async function setReadOnly(node: GraphNode, readOnly: boolean): Promise<void> {
  if (node.readOnly === readOnly) return
  const ends: (() => void)[] = []
  try {
    for (const member of reopenTree(node)) ends.push(await beginDrain(member))
    // What the wait has changed is seen by what follows.
    const tree = reopenTree(node).filter((member) => member.readOnly !== readOnly)
    for (const member of tree) checkMember(member, tree, readOnly)
    await switchAll(tree, readOnly)
  } finally {
    for (const end of ends.reverse()) end()
  }
}

/** `node` and the children that follow it, parents before children. */
function reopenTree(node: GraphNode): GraphNode[] {
  const tree = [node]
  for (const edge of node.edges.values()) {
    if ((edge.role & ChildRoles.cow) !== 0 || edge.node.keepReadOnly) continue
    if (edge.node.inheritsFrom === node) tree.push(...reopenTree(edge.node))
  }
  return tree
}

function checkMember(member: GraphNode, tree: readonly GraphNode[], readOnly: boolean): void {
  if (member.layer.reopen === undefined) {
    const text = `Block format '${member.driverName}' used by node '${member.nodeName}' does not support reopening files`
    throw new BlockError('EINVAL', text)
  }
  // Members above stop writing by themselves; everybody else must have stopped.
  const isOther = (parent: GraphNode | undefined) => parent === undefined || !tree.includes(parent)
  if (readOnly && [...member.parents].some((edge) => isOther(edge.parent.node) && mayWrite(edge))) {
    throw new BlockError('EPERM', `Read-only block node '${member.nodeName}' cannot support read-write users`)
  }
}

/** @param tree - parents before children */
async function switchAll(tree: readonly GraphNode[], readOnly: boolean): Promise<void> {
  // Storage first when it is to be written, format first when it must stop writing.
  const order = readOnly ? tree : [...tree].reverse()
  const done: GraphNode[] = []
  try {
    for (const member of order) {
      await (readOnly ? stopWriting(member) : startWriting(member))
      done.push(member)
    }
  } catch (error) {
    const failures: unknown[] = []
    for (const member of done.reverse()) {
      await (readOnly ? startWriting(member) : stopWriting(member)).catch((failure: unknown) => failures.push(failure))
    }
    if (failures.length === 0 || !(error instanceof BlockError)) throw error
    const cause = new AggregateError([error, ...failures], 'the way back failed too')
    throw new BlockError(error.code, error.message, { cause, hint: error.hint })
  }
}

async function stopWriting(member: GraphNode): Promise<void> {
  // Once it is read-only nothing of it is ever flushed again: what it holds must be durable before.
  await flushNode(member)
  await member.layer.reopen?.({ readOnly: true })
  member.readOnly = true
  member.refreshLimits()
  refreshPermissions(member)
}

async function startWriting(member: GraphNode): Promise<void> {
  member.readOnly = false
  try {
    // Locks first: a format may write as soon as it is told that it may.
    refreshPermissions(member)
    await member.layer.reopen?.({ readOnly: false })
    member.refreshLimits()
  } catch (error) {
    member.readOnly = true
    refreshPermissions(member)
    throw error
  }
}
