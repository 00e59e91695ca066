/** Putting written clusters into the L2 table, and giving back what was mapped there before. */

import { toBlockError } from '@blocklayer/block-core/driver'
import type { Geometry, GuestOffset, HostOffset } from '../format/geometry.ts'
import { entryHigh, entryLow } from '../format/l2-entry.ts'
import { storeSubclusters, subclusterMask } from '../format/subclusters.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import { EntryList, type FreeEntriesOptions, freeEntries } from './free-entries.ts'
import type { L2Tables } from './l2-table.ts'

/** Consecutive guest clusters and the consecutive host clusters that shall hold them. One L2 slice covers all of them. */
export interface LinkRequest {
  /** Cluster aligned. */
  readonly guestOffset: GuestOffset
  /** Cluster aligned. */
  readonly hostOffset: HostOffset
  readonly clusterCount: number
  /** `true`: the host clusters are those that the entries name already; nothing is to be freed. */
  readonly keepOld: boolean
  /**
   * Bytes, counted from the start of the first cluster, that hold the guest's data; what subclusters they touch is
   * allocated afterwards. The others stay what they were. Without meaning where clusters have no subclusters.
   */
  readonly filled: { readonly start: number; readonly end: number }
}

/** What linking is made of. */
export interface LinkerOptions extends FreeEntriesOptions {
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly l2Tables: L2Tables
  readonly refblockCache: TableCache
  /** Whether refcounts may be left behind for now (lazy refcounts). */
  useLazyRefcounts(): boolean
}

/**
 * Links clusters whose data has been written.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_alloc_cluster_link_l2
 */
export class Linker {
  readonly #parts: LinkerOptions

  constructor(options: LinkerOptions) {
    this.#parts = options
  }

  /** Stores the entries, marked as owned alone; frees the old ones. */
  async link(request: LinkRequest): Promise<void> {
    const { l2Tables, geometry } = this.#parts
    await this.order()
    const slot = await l2Tables.loadForUpdate(request.guestOffset)
    l2Tables.cache.markDirty(slot)
    const { view } = l2Tables.cache
    const position = l2Tables.entryPosition(slot, request.guestOffset)
    const old = new EntryList()
    for (let index = 0; index < request.clusterCount; index++) {
      const at = position + index * geometry.l2EntrySize
      const high = view.getUint32(at)
      const low = view.getUint32(at + 4)
      // Two writers of one cluster wait for each other, so that an old entry here is no other writer's new one.
      if ((high !== 0 || low !== 0) && !request.keepOld) old.add(high, low)
      const host = (request.hostOffset + index * geometry.clusterSize) as HostOffset
      view.setUint32(at, entryHigh(host, true))
      view.setUint32(at + 4, entryLow(host))
      if (geometry.extendedL2) allocateSubclusters(view, at, index, request.filled, geometry)
    }
    // Linked first, freed second: a crash between the two leaks clusters, the other order would share them.
    if (old.count > 0) await freeEntries(this.#parts, old, 'never')
  }

  /** Stores one entry over one that refers to nothing. */
  async linkEntry(offset: GuestOffset, { high, low }: { readonly high: number; readonly low: number }): Promise<void> {
    const { l2Tables, geometry } = this.#parts
    await this.order()
    const slot = await l2Tables.loadForUpdate(offset)
    l2Tables.cache.markDirty(slot)
    const position = l2Tables.entryPosition(slot, offset)
    l2Tables.cache.view.setUint32(position, high)
    l2Tables.cache.view.setUint32(position + 4, low)
    if (geometry.extendedL2) storeSubclusters(l2Tables.cache.view, position, 0, 0)
  }

  /** Declares what must be durable before entries that are about to be stored: their refcounts, and their data. */
  async order(): Promise<void> {
    const { geometry, header, l2Tables, refblockCache, useLazyRefcounts } = this.#parts
    if (useLazyRefcounts()) {
      try {
        await header.markDirty()
      } catch (error) {
        // Not an error of this write: without the mark, refcounts are simply kept up to date as the data is.
        toBlockError(error)
      }
    }
    // A data file may hold anything where nothing was mapped.
    if (geometry.externalData) l2Tables.cache.dependOnFlush()
    if (header.isDirty) {
      // Refcounts need not be durable, but the data must: an entry would otherwise show whatever lay there before.
      l2Tables.cache.dependOnFlush()
    } else {
      await l2Tables.cache.dependOn(refblockCache)
    }
  }
}

/** Marks the subclusters of cluster number `index` that `filled` touches as allocated. */
function allocateSubclusters(
  view: DataView,
  position: number,
  index: number,
  filled: LinkRequest['filled'],
  { clusterSize, subclusterSize }: Geometry,
): void {
  const from = Math.max(0, Math.floor((filled.start - index * clusterSize) / subclusterSize))
  const to = Math.ceil(Math.min(clusterSize, filled.end - index * clusterSize) / subclusterSize)
  const mask = subclusterMask(from, to)
  storeSubclusters(view, position, view.getUint32(position + 8) & ~mask, view.getUint32(position + 12) | mask)
}
