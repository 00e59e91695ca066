/** Stops requests at their sources and waits for those that are under way. */

import type { BlockLayer } from '../driver/block-layer.ts'
import type { Drain, EdgeParent, GraphNode } from '../node/graph-node.ts'

/**
 * Begins a drained section on some nodes: their users issue no more requests, and none is in flight when this resolves.
 * Who becomes a user while it lasts is stopped too. Sections may overlap and nest: each is ended on its own.
 *
 * @returns what ends the section: users go on with what they queued, also those that meanwhile moved to another node
 * @see spec/block-layer.md, section 21
 */
export async function beginDrain(...nodes: readonly GraphNode[]): Promise<() => void> {
  const section = new DrainedSection()
  try {
    for (const node of nodes) section.enter(node)
    await section.idle()
  } catch (error) {
    section.end()
    throw error
  }
  return () => section.end()
}

/** Runs `section` with some nodes drained. */
export async function drained<T>(nodes: readonly GraphNode[], section: () => Promise<T>): Promise<T> {
  const end = await beginDrain(...nodes)
  try {
    return await section()
  } finally {
    end()
  }
}

/** `top` and all nodes below it, each once. */
export function subtree(...tops: readonly GraphNode[]): GraphNode[] {
  const found = new Set<GraphNode>()
  const visit = (node: GraphNode): void => {
    if (found.has(node)) return
    found.add(node)
    for (const edge of node.edges.values()) visit(edge.node)
  }
  for (const top of tops) visit(top)
  return [...found]
}

class DrainedSection implements Drain {
  readonly #nodes = new Set<GraphNode>()
  readonly #users = new Set<EdgeParent>()
  /** Layers that were told, each to be told of the end. */
  readonly #layers = new Map<GraphNode, BlockLayer>()
  #stopping: Promise<void>[] = []
  #ended = false

  /** Takes in `node` and all above it. */
  enter(node: GraphNode): void {
    if (this.#nodes.has(node)) return
    this.#nodes.add(node)
    node.drains.add(this)
    for (const { parent } of node.parents) this.join(parent)
  }

  join(parent: EdgeParent): void {
    if (this.#ended) return
    if (parent.node !== undefined) {
      this.enter(parent.node)
    } else if (!this.#users.has(parent)) {
      this.#users.add(parent)
      this.#stopping.push(parent.quiesce?.() ?? Promise.resolve())
    }
  }

  /** Nodes from the top down: a request above may still send one below. */
  async idle(): Promise<void> {
    let known: number
    do {
      known = this.#nodes.size
      const order = parentsFirst(this.#nodes)
      const layers = order.map((node) => this.#stopLayer(node))
      await Promise.all([...this.#stopping.splice(0), ...layers])
      for (const node of order) await node.tracked.idle()
      // Who came meanwhile is waited for as well, and what its last requests have started below.
    } while (this.#stopping.length > 0 || this.#nodes.size !== known)
  }

  /** Before any wait: what a driver holds back may be what a user's last request waits for (throttle). */
  async #stopLayer(node: GraphNode): Promise<void> {
    const layer = node.liveLayer
    if (layer?.drainBegin === undefined || this.#layers.has(node)) return
    this.#layers.set(node, layer)
    await layer.drainBegin()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const node of this.#nodes) node.drains.delete(this)
    try {
      for (const layer of [...this.#layers.values()].reverse()) layer.drainEnd?.()
    } finally {
      // Whatever a driver does: users that are not let go on would wait for ever.
      for (const user of this.#users) user.unquiesce?.()
    }
  }
}

/** The nodes of a section, every one after all of its parents. */
function parentsFirst(nodes: ReadonlySet<GraphNode>): GraphNode[] {
  const order = new Set<GraphNode>()
  const visit = (node: GraphNode): void => {
    if (order.has(node)) return
    for (const { parent } of node.parents) if (parent.node !== undefined && nodes.has(parent.node)) visit(parent.node)
    order.add(node)
  }
  for (const node of nodes) visit(node)
  return [...order]
}
