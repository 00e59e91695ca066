/** Children that come and go while a node is open (quorum). */

import type { BlockNode } from './node-view.ts'

/** A node that takes more children while it is open. Nobody has a request in flight on it while one of these runs. */
export interface ChildListSupport {
  /**
   * Attaches `child`, through the context that the node was opened with.
   *
   * @returns the name under which it was attached
   * @throws BlockError where it cannot be taken; nothing has changed then
   */
  add(child: BlockNode): Promise<string>
  /**
   * Forgets a child, which is detached afterwards.
   *
   * @throws BlockError where the node cannot do without it
   */
  remove(name: string): void
}
