/** Uniform runs of subclusters, which go on from one extended L2 entry to the next. */

import { subclustersPerExtendedCluster } from '../format/constants.ts'
import type { Geometry } from '../format/geometry.ts'
import { clusterType, entryOffset } from '../format/l2-entry.ts'
import { subclusterRun, type SubclusterType, subclusterType } from '../format/subclusters.ts'

/** Where a run begins, and how far it is looked for. */
export interface SubclusterQuestion {
  /** Number of the first subcluster in the first entry. */
  readonly first: number
  /** Entries to look at, at least 1. */
  readonly entryCount: number
  readonly geometry: Geometry
}

/** The type of subcluster number `index` of the extended entry at byte `position` of `view`. */
export function subclusterTypeAt(view: DataView, position: number, index: number, geometry: Geometry): SubclusterType {
  const type = clusterType(view.getUint32(position), view.getUint32(position + 4), geometry)
  return subclusterType(type, view.getUint32(position + 8), view.getUint32(position + 12), index)
}

/** Whether subclusters of this type have a place in the file. */
export function hasHostCluster(type: SubclusterType): boolean {
  return type === 'normal' || type === 'zero-alloc' || type === 'unallocated-alloc'
}

/**
 * Number of subclusters that continue the first one: of the same type, and, where they have a host cluster, each
 * cluster behind the one before. Compressed clusters stand alone.
 *
 * @param view - big-endian extended L2 entries
 * @param position - byte position of the first entry in `view`
 * @returns the count, or, where an entry that was looked at is invalid, its number as `-1 - number`
 * @see QEMU 7.2 block/qcow2-cluster.c: count_contiguous_subclusters
 */
export function countSubclusters(view: DataView, position: number, question: SubclusterQuestion): number {
  const { first, entryCount, geometry } = question
  const type = subclusterTypeAt(view, position, first, geometry)
  if (type === 'invalid') return -1
  const hasHost = hasHostCluster(type)
  let expected = 0
  let count = 0
  for (let entry = 0; entry < entryCount; entry++) {
    const at = position + entry * geometry.l2EntrySize
    const from = entry === 0 ? first : 0
    if (entry > 0) {
      const next = subclusterTypeAt(view, at, 0, geometry)
      if (next === 'invalid') return -1 - entry
      if (next !== type || type === 'compressed') return count
    }
    if (hasHost) {
      const offset = entryOffset(view.getUint32(at), view.getUint32(at + 4))
      if (entry > 0 && offset !== expected) return count
      expected = offset + geometry.clusterSize
    }
    const run = subclusterRun(type, view.getUint32(at + 8), view.getUint32(at + 12), from)
    count += run
    if (from + run < subclustersPerExtendedCluster) return count
  }
  return count
}
