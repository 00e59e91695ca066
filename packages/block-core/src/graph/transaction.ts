/** A change of the graph that holds as a whole or not at all. */

import type { GraphNode } from '../node/graph-node.ts'

/**
 * What undoes the steps of one change, and what is left to do once all of them hold. Steps are synchronous, so that
 * nobody sees half a change; only reopening keeps a transaction open while drivers work, with all users stopped.
 *
 * @see QEMU 7.2 include/qemu/transactions.h
 */
export class GraphTransaction {
  /** Nodes that are writable now and will not be: users that write keep the change from happening. */
  readonly turningReadOnly: Set<GraphNode> = new Set()
  readonly #undo: (() => void)[] = []
  readonly #settle: (() => void)[] = []

  /** `step` takes back what was just done; it must not fail. */
  undoWith(step: () => void): void {
    this.#undo.push(step)
  }

  /** `step` runs when the whole change holds: it lets go of what the way back would have needed. */
  settleWith(step: () => void): void {
    this.#settle.push(step)
  }

  /** The change holds. */
  commit(): void {
    this.#undo.length = 0
    for (const step of this.#settle.splice(0)) step()
  }

  /** Takes everything back, the last step first. */
  rollback(): void {
    this.#settle.length = 0
    for (const step of this.#undo.splice(0).reverse()) step()
  }
}

/** Makes a change, or takes back what it had done when it fails. */
export function inTransaction<T>(change: (transaction: GraphTransaction) => T): T {
  const transaction = new GraphTransaction()
  let result: T
  try {
    result = change(transaction)
  } catch (error) {
    transaction.rollback()
    throw error
  }
  transaction.commit()
  return result
}
