/** Opens nodes anew without closing them: options, modes and children change, all of them or none. */

import { BlockError } from '../errors.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions } from '../options/schema.ts'
import { closeUnused } from './attach.ts'
import { beginDrain, subtree } from './drain.ts'
import type { GraphCore } from './graph-core.ts'
import { checkReopen } from './reopen-check.ts'
import { changesItself, newChildren, type ReopenRequest, reopenQueue } from './reopen-queue.ts'
import { type ReopenMember, runReopen } from './reopen-run.ts'
import { takeTurn } from './reopen-turn.ts'

/** A node to be reopened, and all its options as they are to be, flat: what is not given goes back to its default. */
export interface NodeReopen {
  /** The node, or its name. */
  readonly node: GraphNode | string
  /** Own options and those of inline children (`file.cache.direct`); `file`, `backing`: names of nodes. */
  readonly options: FlatOptions
  /** What is not given stays as it is instead (`qemu-io`'s reopen). */
  readonly keepOld?: boolean
}

/**
 * Gives nodes new options, all of them or none, while their users are stopped. Children that were opened with them
 * follow; `file` and `backing` may become other nodes.
 *
 * @throws BlockError with the reference's words; everything is as it was then
 * @see spec/block-layer.md, section 28, blockdev-reopen
 */
export async function reopenNodes(core: GraphCore, changes: readonly NodeReopen[]): Promise<void> {
  const joined = new Map<GraphNode, ReopenRequest>()
  for (const { node: given, options, keepOld = false } of changes) {
    const node = named(core, given)
    // Listed twice: what the later one does not speak of stays as the earlier has it, as in the reference.
    const earlier = joined.get(node)
    const both = new Map([...(earlier?.options ?? []), ...options])
    joined.set(node, { node, options: both, keepOld: keepOld || earlier?.keepOld === true })
  }
  const requests = [...joined.values()]
  const dropped = await reopenDrained(requests, (name) => core.nodes.get(name))
  for (const node of dropped) await closeUnused(core, node)
}

function named(core: GraphCore, node: GraphNode | string): GraphNode {
  if (typeof node !== 'string') return node
  const found = core.nodes.get(node)
  if (found !== undefined && !found.opening) return found
  throw new BlockError('ENOENT', `Failed to find node with node-name='${node}'`)
}

/**
 * Makes `node`, and the children that were opened with it, read-only or writable. Their users are stopped meanwhile.
 *
 * @throws BlockError `EINVAL` where a driver cannot, `EPERM` where somebody still writes, `EACCES`, or the lock message;
 *   everything is as it was then
 * @see spec/block-layer.md, section 28
 */
export async function setReadOnly(node: GraphNode, readOnly: boolean): Promise<void> {
  if (node.readOnly === readOnly) return
  await reopenDrained([{ node, options: new Map([['read-only', readOnly]]), keepOld: true }], () => undefined)
}

/** @returns nodes that lost a parent, to be closed if nobody else is there */
async function reopenDrained(
  requests: readonly ReopenRequest[],
  find: (nodeName: string) => GraphNode | undefined,
): Promise<readonly GraphNode[]> {
  const end = await beginDrain(...subtree(...requests.map(({ node }) => node)))
  const whole = () => subtree(...requests.map(({ node }) => node))
  let endNew: (() => void) | undefined
  let endTurn: (() => void) | undefined
  try {
    // Planned when all is quiet: what the wait has changed is seen.
    const turn = await takeTurn(whole, () => planned(requests, find))
    endTurn = turn.end
    const { members, nodes } = turn.plan
    endNew = await beginDrain(...nodes)
    return await runReopen(members)
  } finally {
    endTurn?.()
    endNew?.()
    end()
  }
}

/** The members of a reopening, and the nodes that become children. */
function planned(
  requests: readonly ReopenRequest[],
  find: (nodeName: string) => GraphNode | undefined,
): { readonly members: readonly ReopenMember[]; readonly nodes: readonly GraphNode[] } {
  const members = reopenQueue(requests).map((entry) => ({
    entry,
    options: checkReopen(entry),
    children: newChildren(entry, find),
    isTouched: entry.isNamed || changesItself(entry),
  }))
  const nodes = members.flatMap(({ children }) => [...children.values()].filter((child) => child !== undefined))
  return { members: members.filter(({ isTouched, children }) => isTouched || children.size > 0), nodes }
}
