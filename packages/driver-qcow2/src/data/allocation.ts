/** Host clusters that a write has got and not linked yet, and what must be copied around its data. */

import { clusterStart, type Geometry, type GuestOffset, type HostOffset, offsetInCluster } from '../format/geometry.ts'
import type { ClusterType } from '../format/l2-entry.ts'
import type { PendingWrite } from './in-flight.ts'

/** One part of a cluster beside the data, which keeps its old content. */
export interface CowRegion {
  /** Distance from the start of the allocation's first cluster, in bytes. */
  readonly start: number
  readonly bytes: number
  /** What the cluster it lies in read as before. */
  readonly oldType: ClusterType
}

/**
 * Consecutive host clusters for consecutive guest clusters.
 *
 * @see QEMU 7.2 block/qcow2.h: QCowL2Meta
 */
export interface Allocation extends PendingWrite {
  readonly guestOffset: GuestOffset
  readonly hostOffset: HostOffset
  readonly clusterCount: number
  /** The clusters were mapped here before (as preallocated zeroes): a failed write must not free them. */
  readonly keepOld: boolean
  /** The data begins where it ends. */
  readonly head: CowRegion
  /** Begins where the data ends. */
  readonly tail: CowRegion
  /** Bytes, counted from the start of the first cluster, that are the image's afterwards: head, data and tail. */
  readonly filled: { readonly start: number; readonly end: number }
  /** Part of the data goes to where valid data is, so that the place must not be zeroed before. */
  readonly overwrites: boolean
}

/** What an allocation is computed from. */
export interface AllocationRequest {
  /** First guest byte that is written, in the first cluster. */
  readonly offset: GuestOffset
  /** Bytes that are written; they end in the last cluster. */
  readonly bytes: number
  /** Host offset of the first cluster. */
  readonly hostOffset: HostOffset
  readonly clusterCount: number
  readonly keepOld: boolean
  readonly firstType: ClusterType
  readonly lastType: ClusterType
}

/** The allocation of `clusterCount` clusters at `hostOffset` for the guest bytes of the request. */
export function makeAllocation(geometry: Geometry, request: AllocationRequest): Allocation {
  const { offset, bytes, hostOffset, clusterCount, keepOld, firstType, lastType } = request
  const guestOffset = clusterStart(geometry, offset)
  const length = clusterCount * geometry.clusterSize
  const dataStart = offsetInCluster(geometry, offset)
  const dataEnd = dataStart + bytes
  return {
    start: guestOffset,
    end: guestOffset + length,
    allocates: true,
    guestOffset,
    hostOffset,
    clusterCount,
    keepOld,
    head: { start: 0, bytes: dataStart, oldType: firstType },
    tail: { start: dataEnd, bytes: length - dataEnd, oldType: lastType },
    filled: { start: 0, end: length },
    overwrites: false,
  }
}

/** `makeAllocation` for clusters with subclusters: only what `edges` says is copied and becomes allocated. */
export function makeSubclusterAllocation(
  geometry: Geometry,
  request: Pick<AllocationRequest, 'offset' | 'hostOffset' | 'clusterCount' | 'keepOld'>,
  { head, tail, overwrites }: Pick<Allocation, 'head' | 'tail' | 'overwrites'>,
): Allocation {
  const { hostOffset, clusterCount, keepOld } = request
  const guestOffset = clusterStart(geometry, request.offset)
  const filled = { start: head.start, end: tail.start + tail.bytes }
  // In clusters that stay, writers of other subclusters need not wait: each link changes its own bits alone.
  const start = keepOld ? ((guestOffset + filled.start) as GuestOffset) : guestOffset
  const end = keepOld ? guestOffset + filled.end : guestOffset + clusterCount * geometry.clusterSize
  const own = { guestOffset, hostOffset, clusterCount, keepOld }
  return { start, end, allocates: true, ...own, head, tail, filled, overwrites }
}
