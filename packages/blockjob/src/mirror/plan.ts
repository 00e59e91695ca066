/** Decides, without I/O, how the next piece of a claimed range gets to the target. */

import { alignDown, alignUp } from '@blocklayer/block-core'
import { type CopyGeometry, copyMax } from './geometry.ts'

/** What the source's chain says about a run. */
export type RunKind = 'data' | 'zero' | 'unallocated'

/** A run of one kind that begins at or before the piece's start. */
export interface SourceRun {
  readonly kind: RunKind
  readonly end: number
}

/** What to do with the next bytes. */
export interface Piece {
  readonly method: 'copy' | 'zero' | 'discard'
  readonly bytes: number
}

/**
 * The next piece at `offset`: whole units of one kind; a unit of several kinds is copied.
 *
 * Zero runs are only zeroed, and unallocated ones only discarded, in whole clusters of the target. What stands out at
 * either end is copied: it shares its cluster with other content.
 *
 * @param claimEnd - a multiple of the unit, or the disk's end
 * @see spec/jobs.md, section 17.5
 */
export function planPiece(offset: number, run: SourceRun, claimEnd: number, geometry: CopyGeometry): Piece {
  const { unit, cluster, length } = geometry
  const end = run.end >= claimEnd ? claimEnd : alignDown(run.end, unit)
  if (end <= offset) return { method: 'copy', bytes: Math.min(unit, claimEnd - offset) }
  if (run.kind === 'data') return copy(end - offset, unit)
  const bulkStart = alignUp(offset, cluster)
  const bulkEnd = end === length ? length : alignDown(end, cluster)
  if (bulkEnd <= bulkStart) return copy(end - offset, unit)
  if (offset < bulkStart) return copy(bulkStart - offset, unit)
  return { method: run.kind === 'zero' ? 'zero' : 'discard', bytes: bulkEnd - offset }
}

function copy(bytes: number, unit: number): Piece {
  return { method: 'copy', bytes: Math.min(bytes, Math.max(copyMax, unit)) }
}
