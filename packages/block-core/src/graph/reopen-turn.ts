/** Reopening takes several steps; what would get between them waits until all are done. */

import type { GraphNode } from '../node/graph-node.ts'

/** What to wait for before `nodes` are touched, and then to ask again; `undefined` where none is being reopened now. */
export function reopening(nodes: readonly GraphNode[]): Promise<void> | undefined {
  return nodes.find((node) => node.reopening !== undefined)?.reopening
}

/**
 * Runs `act`, which is synchronous up to its first wait, at a moment when none of `nodes` is being reopened.
 *
 * @param nodes - asked for again after each wait
 */
export async function betweenReopenings<T>(nodes: () => readonly GraphNode[], act: () => T): Promise<Awaited<T>> {
  for (let busy = reopening(nodes()); busy !== undefined; busy = reopening(nodes())) await busy
  return await act()
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
    const own = reopening(nodes())
    if (own !== undefined) {
      await own
      continue
    }
    const made = plan()
    const all = [...nodes(), ...made.nodes]
    const busy = reopening(all)
    if (busy === undefined) return { plan: made, end: hold(all) }
    // Not while others are kept waiting: they may need what this one holds.
    await busy
  }
}

function hold(nodes: readonly GraphNode[]): () => void {
  let release: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    release = resolve
  })
  for (const node of nodes) node.reopening = ended
  return () => {
    for (const node of nodes) node.reopening = undefined
    release()
  }
}
