/** Making guest clusters read as zeroes by a flag in their entries, without writing a zero. */

import { BlockError } from '@blocklayer/block-core/driver'
import { type Geometry, type GuestOffset, offsetInCluster } from '../format/geometry.ts'
import { clusterType } from '../format/l2-entry.ts'
import { EntryList, type FreeEntriesOptions, freeEntries } from './free-entries.ts'
import type { L2Tables } from './l2-table.ts'
import type { Unmapper } from './unmap.ts'

/** What zeroing is made of. */
export interface ZeroizerOptions extends FreeEntriesOptions {
  readonly geometry: Geometry
  readonly l2Tables: L2Tables
  readonly unmapper: Unmapper
  hasBacking(): boolean
  version(): number
}

/**
 * Zeroes ranges of whole clusters.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_subcluster_zeroize, zero_in_l2_slice
 */
export class Zeroizer {
  readonly #parts: ZeroizerOptions

  constructor(options: ZeroizerOptions) {
    this.#parts = options
  }

  /**
   * Makes every cluster that the range covers read as zeroes.
   *
   * @param offset - cluster aligned
   * @param bytes - cluster aligned, or up to the end of the disk
   * @param options.mayUnmap - host clusters may be given up; else they are kept for later writes
   * @throws BlockError `ENOTSUP` for a version 2 image with a backing file, which nothing but data can hide
   */
  async zeroize(offset: GuestOffset, bytes: number, options: { readonly mayUnmap: boolean }): Promise<void> {
    const { geometry, l2Tables, unmapper, version, hasBacking } = this.#parts
    if (version() < 3) {
      if (hasBacking()) throw BlockError.fromErrno('ENOTSUP')
      await unmapper.unmap(offset, bytes, { discard: 'request', full: false })
      return
    }
    const end = offset + bytes
    for (let at = offset; at < end; ) {
      const entries = Math.min(l2Tables.entriesToSliceEnd(at), Math.ceil((end - at) / geometry.clusterSize))
      await this.#zeroizeInSlice(at, entries, options.mayUnmap)
      at = (at + entries * geometry.clusterSize - offsetInCluster(geometry, at)) as GuestOffset
    }
  }

  async #zeroizeInSlice(offset: GuestOffset, entries: number, mayUnmap: boolean): Promise<void> {
    const { geometry, l2Tables } = this.#parts
    const slot = await l2Tables.loadForUpdate(offset)
    const { view } = l2Tables.cache
    const position = l2Tables.entryPosition(slot, offset)
    const old = new EntryList()
    let changed = false
    for (let index = 0; index < entries; index++) {
      const at = position + index * 8
      const high = view.getUint32(at)
      const low = view.getUint32(at + 4)
      const type = clusterType(high, low, geometry)
      const unmap = type === 'compressed' || (mayUnmap && (type === 'normal' || type === 'zero-alloc'))
      const newHigh = unmap ? 0 : high
      const newLow = (unmap ? 1 : low | 1) >>> 0
      if (newHigh === high && newLow === low) continue
      changed = true
      view.setUint32(at, newHigh)
      view.setUint32(at + 4, newLow)
      if (unmap) old.add(high, low)
    }
    if (!changed) return
    l2Tables.cache.markDirty(slot)
    await freeEntries(this.#parts, old, 'request')
  }
}
