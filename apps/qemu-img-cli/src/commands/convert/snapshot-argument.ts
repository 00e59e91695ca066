/** `-l` of `convert`: which internal snapshot to read. */

import { parseOptionList } from '@blocklayer/block-core'
import { Failure } from '../../failure.ts'

/** A snapshot as the user named it. */
export interface SnapshotChoice {
  /** True for a bare `-l NAME`, false for `snapshot.id=…,snapshot.name=…`. */
  readonly bare: boolean
}

/**
 * Reads `-l`: a name or an id, or options that say which of the two is meant.
 *
 * @throws Failure for an option that does not exist
 */
export function parseSnapshotArgument(text: string): SnapshotChoice {
  if (!text.startsWith('snapshot.')) return { bare: true }
  for (const name of parseOptionList(text).keys()) {
    if (name !== 'snapshot.id' && name !== 'snapshot.name') {
      throw new Failure(`Invalid parameter '${name}'`, { more: [`Failed in parsing snapshot param '${text}'`] })
    }
  }
  return { bare: false }
}
