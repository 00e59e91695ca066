/** Reopening takes several steps; what would get between them waits until all are done. */

import type { GraphNode } from '../node/graph-node.ts'

/** Resolves when none of `nodes` is being reopened; who goes on at once sees it stay so until its next wait. */
export async function reopened(nodes: readonly GraphNode[]): Promise<void> {
  for (let busy = find(nodes); busy !== undefined; busy = find(nodes)) await busy
}

function find(nodes: readonly GraphNode[]): Promise<void> | undefined {
  return nodes.find((node) => node.reopening !== undefined)?.reopening
}

/**
 * Plans a reopening when nobody else reopens its nodes, and keeps others from them.
 *
 * @param nodes - those that the plan looks at, asked for again after each wait
 * @param plan - synchronous; asked again where nodes that it needs are being reopened by then
 * @returns the plan, and what lets others go on
 * @throws what `plan` throws; nobody is kept waiting then
 */
export async function takeTurn<T extends { readonly nodes: readonly GraphNode[] }>(
  nodes: () => readonly GraphNode[],
  plan: () => T,
): Promise<{ readonly plan: T; readonly end: () => void }> {
  for (;;) {
    const own = nodes()
    await reopened(own)
    if (find(nodes()) !== undefined) continue
    const made = plan()
    const all = [...nodes(), ...made.nodes]
    if (find(all) === undefined) return { plan: made, end: hold(all) }
    // Not while others are kept waiting: they may need what this one holds.
    await reopened(all)
  }
}

function hold(nodes: readonly GraphNode[]): () => void {
  let release: () => void = () => {}
  const reopening = new Promise<void>((resolve) => {
    release = resolve
  })
  for (const node of nodes) node.reopening = reopening
  return () => {
    for (const node of nodes) node.reopening = undefined
    release()
  }
}
