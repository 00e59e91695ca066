/** From a guest offset to what lies there, for as long a run as is uniform. */

import { hexPrefixed } from '../format/bytes.ts'
import {
  clusterStart,
  type Geometry,
  type GuestOffset,
  guestOffset,
  type HostOffset,
  isClusterAligned,
  l1Index,
  offsetInCluster,
} from '../format/geometry.ts'
import { clusterType, entryOffset } from '../format/l2-entry.ts'
import type { SubclusterType } from '../format/subclusters.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { L2Tables } from './l2-table.ts'
import { countSubclusters, hasHostCluster, subclusterTypeAt } from './subcluster-run.ts'

/** What guest bytes are mapped to: as clusters, or, with extended L2 entries, as subclusters. */
export type RunType = Exclude<SubclusterType, 'invalid'>

/** Entries of the L1 table that are looked at for one answer. */
const l1EntriesMax = 64

/** A uniform run of guest bytes. */
export interface Run {
  readonly type: RunType
  /** Length in bytes, at least 1, at most what was asked for. */
  readonly bytes: number
  /** Where the run begins in the file, for `normal`, `zero-alloc` and `unallocated-alloc`; else 0. */
  readonly hostOffset: HostOffset
  /** Halves of the L2 entry, for `compressed`. */
  readonly high: number
  readonly low: number
}

/**
 * Number of entries from `position` on that continue the first one: of the same type, and, where they have a host
 * cluster, each in the cluster behind the one before. Compressed entries stand alone.
 *
 * @param view - big-endian L2 entries
 * @param position - byte position of the first entry in `view`
 * @param count - entries to look at, at least 1
 */
export function countRun(view: DataView, position: number, count: number, geometry: Geometry): number {
  const high = view.getUint32(position)
  const low = view.getUint32(position + 4)
  const type = clusterType(high, low, geometry)
  if (type === 'compressed') return 1
  const isMapped = hasHostCluster(type)
  let expected: number = entryOffset(high, low)
  for (let run = 1; run < count; run++) {
    const nextHigh = view.getUint32(position + run * 8)
    const nextLow = view.getUint32(position + run * 8 + 4)
    if (clusterType(nextHigh, nextLow, geometry) !== type) return run
    if (!isMapped) continue
    expected += geometry.clusterSize
    if (entryOffset(nextHigh, nextLow) !== expected) return run
  }
  return count
}

/** What look-ups are made of. */
export interface LookupOptions {
  readonly geometry: Geometry
  readonly l2Tables: L2Tables
  readonly corruption: Corruption
  /** 2 or 3: version 2 has no zero clusters. */
  version(): number
}

/**
 * Looks guest offsets up in the active tables.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_get_host_offset
 */
export class Lookup {
  readonly #parts: LookupOptions

  constructor(options: LookupOptions) {
    this.#parts = options
  }

  /**
   * The run at `offset`, which ends at the end of its L2 slice at the latest.
   *
   * @param bytes - wanted length, at least 1
   * @throws BlockError `EIO` after corruption has been reported, or of the file
   */
  async find(offset: GuestOffset, bytes: number): Promise<Run> {
    const { geometry, l2Tables } = this.#parts
    const { clusterSize } = geometry
    const inCluster = offsetInCluster(geometry, offset)
    const entries = l2Tables.entriesToSliceEnd(offset)
    const wanted = Math.min(bytes, entries * clusterSize - inCluster)
    const slot = await l2Tables.load(offset)
    if (slot < 0) return { type: 'unallocated', bytes: wanted, hostOffset: noHost, high: 0, low: 0 }
    const { view } = l2Tables.cache
    const position = l2Tables.entryPosition(slot, offset)
    if (geometry.extendedL2) return this.#findSubclusters(position, offset, wanted)
    const high = view.getUint32(position)
    const low = view.getUint32(position + 4)
    const type = clusterType(high, low, geometry)
    const host = hasHostCluster(type) ? entryOffset(high, low) : noHost
    await this.#refuseBroken(type, host, offset)
    const clusters = countRun(view, position, Math.ceil((inCluster + wanted) / clusterSize), geometry)
    return {
      type,
      bytes: Math.min(wanted, clusters * clusterSize - inCluster),
      hostOffset: (hasHostCluster(type) ? host + inCluster : 0) as HostOffset,
      high,
      low,
    }
  }

  /**
   * How many of the `bytes` from `offset` on lie where no L2 table is, in one piece: none of them is allocated. It looks at
   * some entries only, as whoever asks may use but a little of the answer.
   */
  bytesWithoutTable(offset: GuestOffset, bytes: number): number {
    const { l2Tables, geometry } = this.#parts
    const first = l1Index(geometry, offset)
    let end: number = offset
    for (let i = first; i < first + l1EntriesMax && end < offset + bytes; i++) {
      if (l2Tables.tableOffset(guestOffset(end)) !== 0) break
      end = (i + 1) * geometry.l2Coverage
    }
    return Math.min(end - offset, bytes)
  }

  /** `find` where the entry at `position` has subclusters. */
  async #findSubclusters(position: number, offset: GuestOffset, wanted: number): Promise<Run> {
    const { geometry, l2Tables, corruption } = this.#parts
    const { clusterSize, subclusterSize } = geometry
    const { view } = l2Tables.cache
    const inCluster = offsetInCluster(geometry, offset)
    const first = Math.floor(inCluster / subclusterSize)
    const type = subclusterTypeAt(view, position, first, geometry)
    const high = view.getUint32(position)
    const low = view.getUint32(position + 4)
    const host = hasHostCluster(type) ? entryOffset(high, low) : noHost
    await this.#refuseBroken(type, host, offset)
    const entryCount = Math.ceil((inCluster + wanted) / clusterSize)
    const count = countSubclusters(view, position, { first, entryCount, geometry })
    if (type === 'invalid' || count < 0) {
      const place = this.#place((offset + (-1 - count) * clusterSize) as GuestOffset)
      throw await corruption.signal('fatal', `Invalid cluster entry found  ${place}`)
    }
    const bytes = Math.min(wanted, (first + count) * subclusterSize - inCluster)
    return { type, bytes, hostOffset: (hasHostCluster(type) ? host + inCluster : 0) as HostOffset, high, low }
  }

  #place(offset: GuestOffset): string {
    const { l2Tables } = this.#parts
    return `(L2 offset: ${hexPrefixed(l2Tables.tableOffset(offset))}, L2 index: ${hexPrefixed(l2Tables.sliceIndex(offset))})`
  }

  #refuseBroken(type: SubclusterType, host: HostOffset, offset: GuestOffset): Promise<void> | undefined {
    const { version, geometry, corruption, l2Tables } = this.#parts
    const place = (): string => this.#place(offset)
    const refuse = async (message: string): Promise<never> => {
      throw await corruption.signal('fatal', message)
    }
    if (version() < 3 && (type === 'zero-plain' || type === 'zero-alloc')) {
      return refuse(`Zero cluster entry found in pre-v3 image ${place()}`)
    }
    if (geometry.externalData && type === 'compressed') {
      return refuse(`Compressed cluster entry found in image with external data file ${place()}`)
    }
    if (!isClusterAligned(geometry, host)) {
      return refuse(`Cluster allocation offset ${hexPrefixed(host)} unaligned ${place()}`)
    }
    if (hasHostCluster(type) && isMisplaced(geometry, offset, host)) {
      return refuse(misplacedMessage(geometry, offset, { host, index: l2Tables.sliceIndex(offset) }))
    }
    return undefined
  }
}

/** Whether the guest cluster of `offset` has its data at `host` where it must not: a data file has it at the guest offset. */
export function isMisplaced(geometry: Geometry, offset: GuestOffset, host: HostOffset): boolean {
  return geometry.externalData && (host as number) !== clusterStart(geometry, offset)
}

/** `isMisplaced` for entry number `index` from the one of `offset` on: the place it names is not its own to be given up. */
export function isElsewhere(
  geometry: Geometry,
  offset: GuestOffset,
  { index, high, low }: { readonly index: number; readonly high: number; readonly low: number },
): boolean {
  return isMisplaced(geometry, guestOffset(offset + index * geometry.clusterSize), entryOffset(high, low))
}

/** What is said of an entry that `isMisplaced`, with the reference's parentheses. */
export function misplacedMessage(
  geometry: Geometry,
  offset: GuestOffset,
  { host, index }: { readonly host: HostOffset; readonly index: number },
): string {
  const guest = hexPrefixed(clusterStart(geometry, offset))
  const place = `${guest}, L2 index: ${hexPrefixed(index)})`
  return `External data file host cluster offset ${hexPrefixed(host)} does not match guest cluster offset: ${place}`
}

const noHost = 0 as HostOffset
