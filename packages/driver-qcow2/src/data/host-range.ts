/** The host side of a write: one contiguous range of the file for as much of the request as possible. */

import type { BlockError } from '@blocklayer/block-core/driver'
import { hexPrefixed } from '../format/bytes.ts'
import {
  clusterStart,
  type Geometry,
  type GuestOffset,
  type HostOffset,
  hostOffset,
  offsetInCluster,
} from '../format/geometry.ts'
import type { L2Tables } from '../mapping/l2-table.ts'
import { isMisplaced, misplacedMessage } from '../mapping/lookup.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import type { OverlapCheck } from '../metadata/overlap-check.ts'
import type { Allocator } from '../refcount/allocator.ts'
import { type Allocation, type AllocationRequest, makeAllocation, makeSubclusterAllocation } from './allocation.ts'
import type { InFlightWrites, PendingWrite } from './in-flight.ts'
import { planWrite, type WriteStep } from './plan-write.ts'
import { subclusterEdges } from './subcluster-edges.ts'

/** Where a part of a request goes. */
export interface HostRange {
  readonly hostOffset: HostOffset
  /** Bytes of the request that it serves. */
  readonly bytes: number
  /** What must be linked afterwards; in flight until then. */
  readonly allocations: readonly Allocation[]
  /** Stands for the clusters that are written in place, if there are any. */
  readonly inPlace: PendingWrite | undefined
}

/** What host ranges are made from. */
export interface HostRangesOptions {
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly l2Tables: L2Tables
  readonly allocator: Allocator
  readonly inFlight: InFlightWrites
  readonly overlap: OverlapCheck
  readonly corruption: Corruption
}

/** A range while it grows, cluster run by cluster run. */
interface Growing {
  host: HostOffset | undefined
  bytes: number
  writesInPlace: boolean
  readonly allocations: Allocation[]
}

/**
 * Finds or allocates host clusters for writes.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_alloc_host_offset
 */
export class HostRanges {
  readonly #parts: HostRangesOptions

  constructor(options: HostRangesOptions) {
    this.#parts = options
  }

  /**
   * A host range for the beginning of a request, at least up to the end of its first cluster.
   *
   * Takes the metadata lock, and waits without it for writers of the same clusters. Whoever gets the range ends it with
   * `finish`, or with `abort` if its data could not be written.
   */
  async take(offset: GuestOffset, bytes: number): Promise<HostRange> {
    const { lock, inFlight } = this.#parts
    for (;;) {
      const wait = lock.acquire()
      if (wait !== undefined) await wait
      let conflict: Promise<void>
      try {
        if (inFlight.clip(offset, bytes) > 0) return await this.#grow(offset, bytes)
        conflict = inFlight.wait(clusterStart(this.#parts.geometry, offset), offset + 1)
      } finally {
        lock.release()
      }
      await conflict
    }
  }

  /** The data has arrived and everything is linked. */
  finish(range: HostRange): void {
    for (const allocation of range.allocations) this.#parts.inFlight.remove(allocation)
    if (range.inPlace !== undefined) this.#parts.inFlight.remove(range.inPlace)
  }

  /** Gives the new clusters of allocations that will not be linked back. Called with the lock held. */
  async abort(allocations: readonly Allocation[]): Promise<void> {
    const { allocator, geometry, inFlight } = this.#parts
    for (const allocation of allocations) {
      const { hostOffset, clusterCount, keepOld } = allocation
      try {
        if (keepOld || geometry.externalData) continue
        // No table refers to them, neither on disk nor in memory: they can be used again at once.
        const options = { discard: 'never', unlinked: 'on-disk' } as const
        await allocator.free(hostOffset, clusterCount * geometry.clusterSize, options)
      } finally {
        // Whatever happens: who waits for the cluster would else wait for ever.
        inFlight.remove(allocation)
      }
    }
  }

  async #grow(offset: GuestOffset, bytes: number): Promise<HostRange> {
    const { inFlight, geometry, overlap } = this.#parts
    const range: Growing = { host: undefined, bytes: 0, writesInPlace: false, allocations: [] }
    try {
      while (range.bytes < bytes) {
        const at = (offset + range.bytes) as GuestOffset
        // The list grows by our own allocations, which lie before `at` and do not conflict with what follows.
        const free = inFlight.clip(at, bytes - range.bytes)
        if (free === 0 || !(await this.#step(range, at, free))) break
      }
      const place = range.host!
      // In a file of its own, data meets no metadata.
      if (!geometry.externalData) await overlap.check(place, range.bytes)
      const end = clusterStart(geometry, offset + range.bytes - 1) + geometry.clusterSize
      const inPlace = { start: clusterStart(geometry, offset), end, allocates: false }
      if (range.writesInPlace) inFlight.add(inPlace)
      return {
        hostOffset: place,
        bytes: range.bytes,
        allocations: range.allocations,
        inPlace: range.writesInPlace ? inPlace : undefined,
      }
    } catch (error) {
      await this.abort(range.allocations)
      throw error
    }
  }

  /** Adds the next run of clusters to the range; `false` where they do not follow it in the file. */
  async #step(range: Growing, at: GuestOffset, bytes: number): Promise<boolean> {
    const { l2Tables, geometry } = this.#parts
    const { clusterSize } = geometry
    const inCluster = offsetInCluster(geometry, at)
    const slot = await l2Tables.loadForUpdate(at)
    const step = planWrite({
      view: l2Tables.cache.view,
      position: l2Tables.entryPosition(slot, at),
      count: Math.min(l2Tables.entriesToSliceEnd(at), Math.ceil((inCluster + bytes) / clusterSize)),
      geometry,
      wantedHost: range.host === undefined ? undefined : ((range.host + range.bytes) as HostOffset),
    })
    if (step.kind === 'stop') return false
    if (step.kind === 'unaligned') throw await this.#unaligned(step, at)
    if (step.kind === 'reuse' && isMisplaced(geometry, at, step.host)) throw await this.#misplaced(step.host, at)
    const place = step.kind === 'reuse' ? step : await this.#allocate(range, at, step.clusterCount)
    if (place.clusterCount === 0) return false
    const gained = Math.min(bytes, place.clusterCount * clusterSize - inCluster)
    const request = {
      offset: at,
      bytes: gained,
      hostOffset: place.host,
      clusterCount: place.clusterCount,
      keepOld: step.kind === 'reuse',
      firstType: step.kind === 'reuse' ? 'zero-alloc' : step.firstType,
      lastType: step.kind === 'reuse' ? 'zero-alloc' : step.lastType,
    } as const
    const allocation = geometry.extendedL2
      ? await this.#subclusterAllocation(request)
      : step.kind === 'allocate' || step.keepsZeroClusters
        ? makeAllocation(geometry, request)
        : undefined
    if (allocation === undefined) {
      range.writesInPlace = true
    } else {
      this.#parts.inFlight.add(allocation)
      range.allocations.push(allocation)
    }
    range.host ??= (place.host + inCluster) as HostOffset
    range.bytes += gained
    return true
  }

  /** The allocation that a request needs in an image with subclusters; `undefined`: all of them are allocated. */
  async #subclusterAllocation(request: AllocationRequest): Promise<Allocation | undefined> {
    const { geometry, l2Tables, allocator, corruption } = this.#parts
    const { offset, bytes, keepOld } = request
    const position = l2Tables.entryPosition(await l2Tables.loadForUpdate(offset), offset)
    const start = offsetInCluster(geometry, offset)
    const edges = subclusterEdges({ geometry, view: l2Tables.cache.view, position, start, bytes, keepOld })
    if (typeof edges === 'object') {
      return edges.changes ? makeSubclusterAllocation(geometry, request, edges) : undefined
    }
    if (!keepOld) {
      const whole = request.clusterCount * geometry.clusterSize
      await allocator.free(request.hostOffset, whole, { discard: 'never', unlinked: 'on-disk' })
    }
    const table = hexPrefixed(l2Tables.tableOffset(offset))
    const place = `(L2 offset: ${table}, L2 index: ${hexPrefixed(l2Tables.sliceIndex(offset) + edges)})`
    throw await corruption.signal('fatal', `Invalid cluster entry found ${place}`)
  }

  /** New clusters behind those of the range, or anywhere if it is empty; perhaps fewer, perhaps none. */
  async #allocate(
    range: Growing,
    at: GuestOffset,
    clusterCount: number,
  ): Promise<{ host: HostOffset; clusterCount: number }> {
    const { allocator, geometry } = this.#parts
    if (geometry.externalData) return { host: hostOffset(clusterStart(geometry, at)), clusterCount }
    if (range.host === undefined) {
      return { host: await allocator.allocate(clusterCount * geometry.clusterSize), clusterCount }
    }
    const host = (range.host + range.bytes) as HostOffset
    return { host, clusterCount: await allocator.allocateAt(host, clusterCount) }
  }

  #misplaced(host: HostOffset, at: GuestOffset): Promise<BlockError> {
    const { geometry, l2Tables, corruption } = this.#parts
    return corruption.signal('fatal', misplacedMessage(geometry, at, { host, index: l2Tables.sliceIndex(at) }))
  }

  #unaligned(step: Extract<WriteStep, { kind: 'unaligned' }>, at: GuestOffset): Promise<BlockError> {
    const what = step.type === 'normal' ? 'Data' : 'Preallocated zero'
    return this.#parts.corruption.signal(
      'fatal',
      `${what} cluster offset ${hexPrefixed(step.host)} unaligned (guest offset: ${hexPrefixed(at)})`,
    )
  }
}
