/** Taking guest clusters out of the mapping: discards, and everything that empties an image cluster by cluster. */

import { type Geometry, type GuestOffset, offsetInCluster } from '../format/geometry.ts'
import { clusterType } from '../format/l2-entry.ts'
import { allSubclusters, hasSubclusters, storeSubclusters } from '../format/subclusters.ts'
import type { DiscardClass } from '../refcount/discard-queue.ts'
import {
  EntryList,
  type FreeEntriesOptions,
  freeEntries,
  type KeepPlacesOptions,
  keepsPlace,
  punchEntries,
} from './free-entries.ts'
import type { L2Tables } from './l2-table.ts'
import { isElsewhere } from './lookup.ts'

/** How clusters are taken out. */
export interface UnmapOptions {
  /** Why, which decides whether the holes are passed down. */
  readonly discard: DiscardClass
  /**
   * `true`: the backing file shows through afterwards. `false`: what was there reads as zeroes, as far as the version
   * can say so.
   */
  readonly full: boolean
}

/** What unmapping is made of. */
export interface UnmapperOptions extends FreeEntriesOptions, KeepPlacesOptions {
  readonly geometry: Geometry
  readonly l2Tables: L2Tables
  hasBacking(): boolean
}

/**
 * Unmaps ranges of whole clusters.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_cluster_discard, discard_in_l2_slice
 */
export class Unmapper {
  readonly #parts: UnmapperOptions

  constructor(options: UnmapperOptions) {
    this.#parts = options
  }

  /**
   * Unmaps every cluster that the range covers.
   *
   * @param offset - cluster aligned
   * @param bytes - cluster aligned, or up to the end of the disk
   */
  async unmap(offset: GuestOffset, bytes: number, options: UnmapOptions): Promise<void> {
    const { dataFreed } = this.#parts
    try {
      await this.#unmapSlices(offset, bytes, options)
    } finally {
      // After a failure its clusters keep their space: holes that come later would meet what is written there by then.
      dataFreed.clear()
    }
  }

  async #unmapSlices(offset: GuestOffset, bytes: number, options: UnmapOptions): Promise<void> {
    const { geometry, l2Tables, dataFreed } = this.#parts
    const end = offset + bytes
    for (let at = offset; at < end; ) {
      const entries = Math.min(l2Tables.entriesToSliceEnd(at), Math.ceil((end - at) / geometry.clusterSize))
      await this.#unmapInSlice(at, entries, options)
      at = (at + entries * geometry.clusterSize - offsetInCluster(geometry, at)) as GuestOffset
    }
    // Holes that were put off, because the backing file is to show and not they: see `#unmapInSlice`.
    if (dataFreed.isEmpty) return
    await l2Tables.cache.flush()
    await dataFreed.releaseAll()
  }

  async #unmapInSlice(offset: GuestOffset, entries: number, options: UnmapOptions): Promise<void> {
    const { geometry, l2Tables, version, hasBacking } = this.#parts
    // What has no table is unallocated. Only where a zero must hide the backing file is one made.
    const hides = !options.full && hasBacking() && version() >= 3
    if (!hides && l2Tables.tableOffset(offset) === 0) return
    const slot = await l2Tables.loadForUpdate(offset)
    const { view } = l2Tables.cache
    const position = l2Tables.entryPosition(slot, offset)
    const isZero = !options.full && version() >= 3
    const zeroLow = isZero && !geometry.extendedL2 ? 1 : 0
    const zeroBits = isZero ? allSubclusters : 0
    const mayKeep = !options.full && options.discard === 'request'
    const kept = new EntryList()
    const old = new EntryList()
    let changed = false
    for (let index = 0; index < entries; index++) {
      const at = position + index * geometry.l2EntrySize
      const high = view.getUint32(at)
      const low = view.getUint32(at + 4)
      const type = clusterType(high, low, geometry)
      const isAllocated = type === 'normal' || type === 'zero-alloc' || type === 'compressed'
      const isOwn = isAllocated && !isElsewhere(geometry, offset, { index, high, low })
      const keeps = mayKeep && isOwn && keepsPlace(this.#parts, high, low)
      if (keeps) kept.add(high, low)
      const goes = options.full || hides || isAllocated
      // What stays, stays as it is, flags that mean nothing there included.
      const newHigh = keeps || !goes ? high : 0
      const newLow = keeps ? (low | zeroLow) >>> 0 : goes ? zeroLow : low
      const hasBits = geometry.extendedL2 && goes && !hasSubclusters(view, at, zeroBits, 0)
      if ((!isAllocated || keeps) && high === newHigh && low === newLow && !hasBits) continue
      changed = true
      view.setUint32(at, newHigh)
      view.setUint32(at + 4, newLow)
      if (hasBits) storeSubclusters(view, at, zeroBits, 0)
      if (isOwn && !keeps) old.add(high, low)
    }
    if (changed) l2Tables.cache.markDirty(slot)
    await punchEntries(this.#parts, kept)
    // A hole reads as zeroes. Where they are what the guest is to see, it may be there before the entry says so.
    await freeEntries(this.#parts, old, options.discard, options.full ? 'later' : 'now')
  }
}
