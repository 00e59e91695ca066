/** Requests that make no sense for the images they are about: errors that say so to programs. */

import { BlockError, type Errno } from '@blocklayer/block-core'

/** Why a request was refused, before anything was changed: `details.reason` of its error. */
export type RefusalReason =
  /** The data behind the new end would be lost, and nobody allowed it. */
  | 'shrink'
  | 'size'
  | 'preallocation'
  | 'backing'
  /** A target that is said to be zero has a backing file, which may not be. */
  | 'target-is-zero'
  | 'target-too-small'
  | 'compression'
  | 'bitmaps'
  | 'snapshot'

/** The error of a refusal. */
export function refusal(reason: RefusalReason, code: Errno, message: string): BlockError {
  return new BlockError(code, message, { details: { reason } })
}
