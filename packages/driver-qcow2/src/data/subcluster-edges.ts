/** What a write has to copy around its data where clusters have subclusters: a decision over L2 entries, without I/O. */

import { subclustersPerExtendedCluster } from '../format/constants.ts'
import type { Geometry } from '../format/geometry.ts'
import { type ClusterType, clusterType } from '../format/l2-entry.ts'
import { lowestBit, subclusterMask } from '../format/subclusters.ts'
import { subclusterTypeAt } from '../mapping/subcluster-run.ts'
import type { CowRegion } from './allocation.ts'

/** A write of consecutive clusters that are treated alike. */
export interface EdgeQuestion {
  readonly geometry: Geometry
  /** Big-endian extended L2 entries. */
  readonly view: DataView
  /** Byte position in `view` of the entry for the first cluster. */
  readonly position: number
  /** First byte that is written, counted from the start of the first cluster. */
  readonly start: number
  /** Bytes that are written, at least 1. */
  readonly bytes: number
  /** The clusters stay where they are. */
  readonly keepOld: boolean
}

/** What surrounds the data of a write. */
export interface SubclusterEdges {
  readonly head: CowRegion
  readonly tail: CowRegion
  /** Some subcluster that is written to is not allocated yet: the entries must change. */
  readonly changes: boolean
  /** Some subcluster that is written to holds data already, at the place where it stays. */
  readonly overwrites: boolean
}

/**
 * What of the clusters must be copied so that all subclusters which are allocated afterwards are complete: within the
 * first and the last subcluster that the data touches where the clusters stay in place; where they move, everything that
 * is allocated in them.
 *
 * @returns the edges, or the number of an entry that is invalid
 * @see QEMU 7.2 block/qcow2-cluster.c: calculate_l2_meta; spec/qcow2.md, section 3.7
 */
export function subclusterEdges(question: EdgeQuestion): SubclusterEdges | number {
  const { geometry, view, position, start, bytes, keepOld } = question
  const { clusterSize, subclusterSize, l2EntrySize } = geometry
  const end = start + bytes
  const last = Math.ceil(end / clusterSize) - 1
  const lastStart = last * clusterSize
  const lastPosition = position + last * l2EntrySize
  const firstSub = Math.floor(start / subclusterSize)
  const lastSub = Math.ceil((end - lastStart) / subclusterSize) - 1
  if (subclusterTypeAt(view, position, firstSub, geometry) === 'invalid') return 0
  if (subclusterTypeAt(view, lastPosition, lastSub, geometry) === 'invalid') return last
  const touched = keepOld ? touchedInPlace(question, last) : { changes: true, overwrites: false }
  if (typeof touched === 'number') return touched
  const headFrom = firstCopied(question, position, firstSub)
  const headStart = headFrom < 0 ? start : headFrom * subclusterSize
  const tailTo = lastCopied(question, lastPosition, lastSub)
  const tailEnd = tailTo < 0 ? end : lastStart + tailTo * subclusterSize
  return {
    ...touched,
    head: region(question, position, { start: headStart, end: start, origin: 0 }),
    tail: region(question, lastPosition, { start: end, end: tailEnd, origin: lastStart }),
  }
}

/** Number of the first subcluster of the first cluster that is copied from; -1: nothing is copied before the data. */
function firstCopied({ view, geometry, keepOld }: EdgeQuestion, position: number, firstSub: number): number {
  const alloc = view.getUint32(position + 12)
  if (keepOld) return (alloc & (1 << firstSub)) !== 0 ? -1 : firstSub
  const type = clusterType(view.getUint32(position), view.getUint32(position + 4), geometry)
  if (type === 'compressed') return 0
  return Math.min(firstSub, lowestBit(alloc, subclustersPerExtendedCluster))
}

/** Number of the subcluster of the last cluster up to which is copied, exclusive; -1: nothing behind the data. */
function lastCopied({ view, geometry, keepOld }: EdgeQuestion, position: number, lastSub: number): number {
  const alloc = view.getUint32(position + 12)
  if (keepOld) return (alloc & (1 << lastSub)) !== 0 ? -1 : lastSub + 1
  const type = clusterType(view.getUint32(position), view.getUint32(position + 4), geometry)
  if (type === 'compressed') return subclustersPerExtendedCluster
  return Math.max(lastSub + 1, subclustersPerExtendedCluster - Math.clz32(alloc))
}

/** What the data meets in clusters that stay in place, or the number of an entry that is invalid. */
function touchedInPlace(
  { geometry, view, position, start, bytes }: EdgeQuestion,
  last: number,
): Pick<SubclusterEdges, 'changes' | 'overwrites'> | number {
  const { clusterSize, subclusterSize, l2EntrySize } = geometry
  let changes = false
  let overwrites = false
  for (let entry = 0; entry <= last; entry++) {
    const at = position + entry * l2EntrySize
    if (subclusterTypeAt(view, at, 0, geometry) === 'invalid') return entry
    const from = entry === 0 ? Math.floor(start / subclusterSize) : 0
    const to = Math.min(clusterSize, start + bytes - entry * clusterSize)
    const mask = subclusterMask(from, Math.ceil(to / subclusterSize))
    const alloc = view.getUint32(at + 12)
    changes ||= (~alloc & mask) !== 0
    overwrites ||= (alloc & mask) !== 0
  }
  return { changes, overwrites }
}

/** Part of a cluster whose old content is copied, in bytes from the start of the first cluster. */
interface Part {
  readonly start: number
  readonly end: number
  /** Where the cluster begins. */
  readonly origin: number
}

function region(question: EdgeQuestion, position: number, part: Part): CowRegion {
  const { start, end } = part
  return { start, bytes: end - start, oldType: start === end ? 'unallocated' : contentOf(question, position, part) }
}

/** What the part reads as now, where one answer holds for all of it; a mixture counts as what is harder to know. */
function contentOf({ view, geometry }: EdgeQuestion, position: number, { start, end, origin }: Part): ClusterType {
  const { subclusterSize } = geometry
  if (clusterType(view.getUint32(position), view.getUint32(position + 4), geometry) === 'compressed')
    return 'compressed'
  const from = Math.floor((start - origin) / subclusterSize)
  const mask = subclusterMask(from, Math.ceil((end - origin) / subclusterSize))
  if ((view.getUint32(position + 12) & mask) !== 0) return 'normal'
  return (~view.getUint32(position + 8) & mask) === 0 ? 'zero-plain' : 'unallocated'
}
