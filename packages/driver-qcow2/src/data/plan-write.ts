/** What a write does with the clusters it meets: a decision over L2 entries, without I/O. */

import type { Geometry, HostOffset } from '../format/geometry.ts'
import { type ClusterType, clusterType, entryOffset, isCopied } from '../format/l2-entry.ts'

/** Entries to plan with, and what the host clusters before them require. */
export interface WriteQuestion {
  /** Big-endian L2 entries. */
  readonly view: DataView
  /** Byte position in `view` of the entry for the write's first cluster. */
  readonly position: number
  /** Entries that the write touches and this slice has; at least 1. */
  readonly count: number
  readonly geometry: Geometry
  /** Where the first cluster must lie so that one host write serves the whole; `undefined`: anywhere. */
  readonly wantedHost: HostOffset | undefined
}

/** What to do with the first clusters of a write. */
export type WriteStep =
  /** Their host clusters are ours alone: write in place. */
  | {
      readonly kind: 'reuse'
      readonly clusterCount: number
      /** Host offset of the first cluster. */
      readonly host: HostOffset
      /**
       * The entries must lose their zero flag afterwards, and the rest of the clusters must become real zeroes. (Extended
       * entries have no such flag; what their subclusters need is for `subclusterEdges` to say.)
       */
      readonly keepsZeroClusters: boolean
    }
  /** They need new host clusters. */
  | {
      readonly kind: 'allocate'
      readonly clusterCount: number
      /** What the first and the last of them read as now: decides whether there is something to copy. */
      readonly firstType: ClusterType
      readonly lastType: ClusterType
    }
  /** They lie somewhere else than wanted: the host write ends before them. */
  | { readonly kind: 'stop' }
  /** An entry that must not exist. */
  | { readonly kind: 'unaligned'; readonly type: 'normal' | 'zero-alloc'; readonly host: HostOffset }

/** Whether a write of this cluster goes to a new host cluster. */
function needsAllocation(type: ClusterType, high: number): boolean {
  return !((type === 'normal' || type === 'zero-alloc') && isCopied(high))
}

/**
 * Decides over the longest run of clusters that are treated alike.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: handle_copied, handle_alloc, cluster_needs_new_alloc
 */
export function planWrite(question: WriteQuestion): WriteStep {
  const { view, position, count, geometry } = question
  const high = view.getUint32(position)
  const type = clusterType(high, view.getUint32(position + 4), geometry)
  if (!needsAllocation(type, high)) return planReuse(question, type === 'zero-alloc' ? type : 'normal')
  let run = 1
  let lastType = type
  for (; run < count; run++) {
    const nextHigh = view.getUint32(position + run * geometry.l2EntrySize)
    const nextType = clusterType(nextHigh, view.getUint32(position + run * geometry.l2EntrySize + 4), geometry)
    if (!needsAllocation(nextType, nextHigh)) break
    lastType = nextType
  }
  return { kind: 'allocate', clusterCount: run, firstType: type, lastType }
}

/** Clusters in place: as long as they are of one type and follow each other in the file. */
function planReuse(question: WriteQuestion, type: 'normal' | 'zero-alloc'): WriteStep {
  const { view, position, count, geometry, wantedHost } = question
  const { clusterSize } = geometry
  const host = entryOffset(view.getUint32(position), view.getUint32(position + 4))
  if (wantedHost !== undefined && host !== wantedHost) return { kind: 'stop' }
  if (host % clusterSize !== 0) return { kind: 'unaligned', type, host }
  let run = 1
  for (; run < count; run++) {
    const high = view.getUint32(position + run * geometry.l2EntrySize)
    const low = view.getUint32(position + run * geometry.l2EntrySize + 4)
    if (clusterType(high, low, geometry) !== type || !isCopied(high)) break
    if (entryOffset(high, low) !== host + run * clusterSize) break
  }
  return { kind: 'reuse', clusterCount: run, host, keepsZeroClusters: type === 'zero-alloc' }
}
