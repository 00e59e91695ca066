/** `-l` of `convert` and `measure`: which internal snapshot to read. */

import { parseKeyValue, type SnapshotWanted, scalarText } from '@blocklayer/block-core'
import { Failure } from '../failure.ts'

/** A snapshot as the user named it. */
export interface SnapshotChoice {
  /** True for a bare `-l NAME`, false for `snapshot.id=…,snapshot.name=…`. */
  readonly bare: boolean
  readonly wanted: SnapshotWanted
}

/**
 * Reads `-l`: a name or an id, or options that say which of the two is meant.
 *
 * @param warn - gets deprecation warnings, without prefix
 * @throws Failure for an option that does not exist
 */
export function parseSnapshotArgument(text: string, warn: (message: string) => void): SnapshotChoice {
  if (!text.startsWith('snapshot.')) return { bare: true, wanted: text }
  const wanted: { id?: string; name?: string } = {}
  for (const [name, value] of parseKeyValue(text, { onDeprecated: warn })) {
    if (name === 'snapshot.id') wanted.id = scalarText(value)
    else if (name === 'snapshot.name') wanted.name = scalarText(value)
    else throw new Failure(`Invalid parameter '${name}'`, { more: [`Failed in parsing snapshot param '${text}'`] })
  }
  return { bare: false, wanted }
}
