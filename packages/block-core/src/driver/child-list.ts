/** Children that come and go while a node is open (quorum). */

import type { Child, ChildRole } from './child.ts'
import type { BlockNode } from './node-view.ts'

/** A node that takes more children while it is open. Nobody has a request in flight on it while one of these is called. */
export interface ChildListSupport {
  /**
   * Under which name, and in which role, `child` would be taken.
   *
   * @throws BlockError where it cannot be
   */
  next(child: BlockNode): { readonly name: string; readonly role: ChildRole }
  /** The child is attached, under the name and in the role of `next`. Must not fail. */
  added(child: Child): void
  /**
   * Forgets a child, which is detached afterwards.
   *
   * @throws BlockError where the node cannot do without it
   */
  remove(name: string): void
}
