/** A job that copies what a bitmap says leaves recording to a successor until it knows how it ended. */

import { assert } from '../errors.ts'
import { checkUsable } from './bitmap-rules.ts'
import { DirtyBitmap } from './dirty-bitmap.ts'

/**
 * Hands recording over: the bitmap keeps its bits and is busy, an anonymous successor records what comes.
 *
 * @throws BlockError where the bitmap is busy, read-only or inconsistent
 * @see spec/block-layer.md, section 27
 */
export function createSuccessor(bitmaps: Set<DirtyBitmap>, parent: DirtyBitmap): DirtyBitmap {
  checkUsable(parent)
  const successor = new DirtyBitmap({ length: parent.length, granularity: parent.granularity })
  successor.enabled = parent.enabled
  parent.enabled = false
  parent.busy = true
  parent.successor = successor
  bitmaps.add(successor)
  return successor
}

/** The job succeeded: the successor takes the parent's name and place. */
export function abdicate(bitmaps: Set<DirtyBitmap>, parent: DirtyBitmap): DirtyBitmap {
  const successor = successorOf(parent)
  successor.name = parent.name
  successor.persistent = parent.persistent
  parent.name = undefined
  parent.persistent = false
  parent.successor = undefined
  parent.busy = false
  bitmaps.delete(parent)
  return successor
}

/** The job failed: what the successor recorded goes back to the parent, which goes on. */
export function reclaim(bitmaps: Set<DirtyBitmap>, parent: DirtyBitmap): void {
  const successor = successorOf(parent)
  parent.merge(successor)
  parent.enabled = successor.enabled
  parent.successor = undefined
  parent.busy = false
  bitmaps.delete(successor)
}

function successorOf(parent: DirtyBitmap): DirtyBitmap {
  assert(parent.successor !== undefined, 'only a bitmap with a successor can abdicate or reclaim')
  return parent.successor
}
