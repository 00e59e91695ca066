/** Stops requests at their sources and waits for those that are under way. */

import type { BlockLayer } from '../driver/block-layer.ts'
import type { Drain, EdgeParent, GraphNode } from '../node/graph-node.ts'

/**
 * Begins a drained section on `node`: its users issue no more requests, and none is in flight when this resolves. Who
 * becomes a user while it lasts is stopped too.
 *
 * @returns what ends the section: users go on with what they queued, also those that meanwhile moved to another node
 * @see spec/block-layer.md, section 21
 */
export async function beginDrain(node: GraphNode): Promise<() => void> {
  const section = new DrainedSection()
  try {
    section.enter(node)
    await section.idle()
  } catch (error) {
    section.end()
    throw error
  }
  return () => section.end()
}

/** Runs `section` with `node` drained. */
export async function drained<T>(node: GraphNode, section: () => Promise<T>): Promise<T> {
  const end = await beginDrain(node)
  try {
    return await section()
  } finally {
    end()
  }
}

class DrainedSection implements Drain {
  /** Parents behind their children. */
  readonly #nodes = new Set<GraphNode>()
  /** Layers that were told, each to be told of the end. */
  readonly #layers: BlockLayer[] = []
  readonly #users = new Set<EdgeParent>()
  #stopping: Promise<void>[] = []

  /** Takes in `node` and all above it. */
  enter(node: GraphNode): void {
    if (this.#nodes.has(node)) return
    this.#nodes.add(node)
    node.drains.add(this)
    for (const { parent } of node.parents) this.join(parent)
  }

  join(parent: EdgeParent): void {
    if (parent.node !== undefined) {
      this.enter(parent.node)
    } else if (!this.#users.has(parent)) {
      this.#users.add(parent)
      this.#stopping.push(parent.quiesce?.() ?? Promise.resolve())
    }
  }

  /** Users first, then nodes from the top down: a request above may still send one below. */
  async idle(): Promise<void> {
    while (this.#stopping.length > 0) await Promise.all(this.#stopping.splice(0))
    for (const node of [...this.#nodes].reverse()) {
      await this.#stopLayer(node)
      await node.tracked.idle()
    }
  }

  /** After its users and before the wait: what a driver holds back is let go of, or never comes to an end. */
  async #stopLayer(node: GraphNode): Promise<void> {
    const layer = node.liveLayer
    if (layer?.drainBegin === undefined) return
    this.#layers.push(layer)
    await layer.drainBegin()
  }

  end(): void {
    for (const node of this.#nodes) node.drains.delete(this)
    this.#nodes.clear()
    for (const layer of this.#layers.splice(0).reverse()) layer.drainEnd?.()
    for (const user of this.#users) user.unquiesce?.()
    this.#users.clear()
  }
}
