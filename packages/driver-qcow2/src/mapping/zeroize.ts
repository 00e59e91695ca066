/** Making guest clusters read as zeroes by a flag in their entries, without writing a zero. */

import { assert, BlockError } from '@blocklayer/block-core/driver'
import { zeroFlagLow } from '../format/constants.ts'
import { clusterStart, type Geometry, type GuestOffset, offsetInCluster } from '../format/geometry.ts'
import { clusterType } from '../format/l2-entry.ts'
import { allSubclusters, hasSubclusters, storeSubclusters, subclusterMask } from '../format/subclusters.ts'
import type { DataFile } from '../metadata/data-file.ts'
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
import type { Unmapper } from './unmap.ts'

/** What zeroing is made of. */
export interface ZeroizerOptions extends FreeEntriesOptions, KeepPlacesOptions {
  readonly geometry: Geometry
  readonly l2Tables: L2Tables
  readonly unmapper: Unmapper
  readonly data: DataFile
  hasBacking(): boolean
}

/** How a range is zeroed. */
export interface ZeroizeOptions {
  /** Host clusters may be given up; else they are kept for later writes. */
  readonly mayUnmap: boolean
  /** The range ends where the disk does, or will: what of its last cluster lies behind belongs to it. */
  readonly toDiskEnd?: boolean
}

/**
 * Zeroes ranges of whole clusters, or, with extended L2 entries, of whole subclusters.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_subcluster_zeroize, zero_in_l2_slice
 */
export class Zeroizer {
  readonly #parts: ZeroizerOptions

  constructor(options: ZeroizerOptions) {
    this.#parts = options
  }

  /**
   * Makes every subcluster that the range covers read as zeroes.
   *
   * @param offset - subcluster aligned
   * @param bytes - subcluster aligned, or up to the end of the disk
   * @throws BlockError `ENOTSUP` for a version 2 image with a backing file, which nothing but data can hide, and for
   *   parts of compressed clusters; of a raw data file, which is zeroed
   */
  async zeroize(offset: GuestOffset, bytes: number, options: ZeroizeOptions): Promise<void> {
    const { geometry, l2Tables, unmapper, data, version, hasBacking } = this.#parts
    if (version() < 3) {
      if (hasBacking()) throw BlockError.fromErrno('ENOTSUP')
      await unmapper.unmap(offset, bytes, { discard: 'request', full: false })
      return
    }
    if (data.isRaw) {
      // Before the flags, on disk as well: who knows nothing of them reads the file.
      await data.file.writeZeroes(offset, bytes, { mayUnmap: options.mayUnmap })
      l2Tables.cache.dependOnFlush()
    }
    const { clusterSize } = geometry
    const rest = offsetInCluster(geometry, offset + bytes)
    // Clusters without subclusters are zeroed as a whole: their entries have no bits for parts.
    const isWhole = rest === 0 || options.toDiskEnd === true || !geometry.extendedL2
    const end = rest > 0 && isWhole ? offset + bytes - rest + clusterSize : offset + bytes
    const wholeEnd = isWhole ? end : end - rest
    let at = offset
    if (offsetInCluster(geometry, offset) !== 0) {
      const headEnd = Math.min(offset + bytes, clusterStart(geometry, offset) + clusterSize)
      await this.#zeroizePart(offset, headEnd - offset)
      at = (clusterStart(geometry, offset) + clusterSize) as GuestOffset
    }
    while (at < wholeEnd) {
      const entries = Math.min(l2Tables.entriesToSliceEnd(at), (wholeEnd - at) / clusterSize)
      await this.#zeroizeInSlice(at, entries, options.mayUnmap)
      at = (at + entries * clusterSize) as GuestOffset
    }
    if (at < end) await this.#zeroizePart(at, end - at)
  }

  /** Zeroes subclusters of one cluster. Its host cluster stays: the others may need it. */
  async #zeroizePart(offset: GuestOffset, bytes: number): Promise<void> {
    const { geometry, l2Tables } = this.#parts
    const { subclusterSize } = geometry
    const slot = await l2Tables.loadForUpdate(offset)
    const { view } = l2Tables.cache
    const at = l2Tables.entryPosition(slot, offset)
    const type = clusterType(view.getUint32(at), view.getUint32(at + 4), geometry)
    if (type === 'compressed') throw BlockError.fromErrno('ENOTSUP')
    const start = offsetInCluster(geometry, offset)
    assert(geometry.extendedL2 && start % subclusterSize === 0, 'only subclusters can be zeroed as parts of clusters')
    const mask = subclusterMask(start / subclusterSize, Math.ceil((start + bytes) / subclusterSize))
    const zeroBits = (view.getUint32(at + 8) | mask) >>> 0
    const allocBits = (view.getUint32(at + 12) & ~mask) >>> 0
    if (hasSubclusters(view, at, zeroBits, allocBits)) return
    storeSubclusters(view, at, zeroBits, allocBits)
    l2Tables.cache.markDirty(slot)
  }

  async #zeroizeInSlice(offset: GuestOffset, entries: number, mayUnmap: boolean): Promise<void> {
    const { geometry, l2Tables, data } = this.#parts
    const slot = await l2Tables.loadForUpdate(offset)
    const { view } = l2Tables.cache
    const position = l2Tables.entryPosition(slot, offset)
    const kept = new EntryList()
    const old = new EntryList()
    let changed = false
    const zeroFlag = geometry.extendedL2 ? 0 : zeroFlagLow
    for (let index = 0; index < entries; index++) {
      const at = position + index * geometry.l2EntrySize
      const high = view.getUint32(at)
      const low = view.getUint32(at + 4)
      const type = clusterType(high, low, geometry)
      const isOwn = !isElsewhere(geometry, offset, { index, high, low })
      const keeps = mayUnmap && isOwn && keepsPlace(this.#parts, high, low)
      if (keeps) kept.add(high, low)
      const unmap = type === 'compressed' || (mayUnmap && !keeps && (type === 'normal' || type === 'zero-alloc'))
      const newHigh = unmap ? 0 : high
      const newLow = (unmap ? zeroFlag : low | zeroFlag) >>> 0
      const hasBits = geometry.extendedL2 && !hasSubclusters(view, at, allSubclusters, 0)
      if (newHigh === high && newLow === low && !hasBits) continue
      changed = true
      view.setUint32(at, newHigh)
      view.setUint32(at + 4, newLow)
      if (hasBits) storeSubclusters(view, at, allSubclusters, 0)
      if (unmap && isOwn) old.add(high, low)
    }
    if (changed) l2Tables.cache.markDirty(slot)
    // A raw data file has been zeroed already, and gave the space up then.
    if (data.isRaw) return
    await punchEntries(this.#parts, kept)
    await freeEntries(this.#parts, old, 'request')
  }
}
