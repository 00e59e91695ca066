/** The refcount table in memory: where the block lies that counts a given range of clusters. */

import type { Child } from '@blocklayer/block-core/driver'
import { viewOf, writeU64 } from '../format/bytes.ts'
import { entryBytes } from '../format/constants.ts'
import type { Geometry, HostOffset } from '../format/geometry.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import { sectorBytes } from '../metadata/header-switch.ts'
import { type RegionMap, rangesOverlap } from '../metadata/region-map.ts'
import { SortedOffsets } from '../metadata/sorted-offsets.ts'

/** What the table is made of. */
export interface RefcountTableOptions {
  readonly file: Child
  readonly header: HeaderStore
  readonly geometry: Geometry
  readonly regions: RegionMap
}

/**
 * The whole table as it stands on disk, big-endian, at most 8 MiB.
 *
 * @see docs/interop/qcow2.txt, "Host cluster management"; QEMU 7.2 block/qcow2-refcount.c
 */
export class RefcountTable {
  readonly #options: RefcountTableOptions
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = viewOf(this.#bytes)
  readonly #blocks: SortedOffsets = new SortedOffsets()

  constructor(options: RefcountTableOptions) {
    this.#options = options
    const { geometry, header, regions } = options
    regions.register('refcount-table', (start, end) => {
      const { refcountTableOffset } = header.header
      return rangesOverlap(start, end, refcountTableOffset, refcountTableOffset + this.#bytes.length)
    })
    regions.register('refcount-block', (start, end) => this.#blocks.overlaps(start, end, geometry.clusterSize))
  }

  /** Reads the table that the header names. */
  async load(): Promise<void> {
    const { file, header, geometry } = this.#options
    const table = new Uint8Array(header.header.refcountTableClusters * geometry.clusterSize)
    if (table.length > 0) {
      await file.debugEvent('reftable_load')
      await file.read(header.header.refcountTableOffset, table)
    }
    this.replace(table)
  }

  /** Entries that the table has room for. */
  get entryCount(): number {
    return this.#bytes.length / entryBytes
  }

  /** The table as on disk; not to be changed by the caller. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Offset of refcount block number `index`; 0 where there is none, or where the table ends before. */
  offsetOf(index: number): HostOffset {
    if (index >= this.entryCount) return 0 as HostOffset
    // The reserved bits are those that an L2 entry's mask leaves out at the low end; all high bits count.
    return (this.#view.getUint32(index * entryBytes) * 2 ** 32 +
      ((this.#view.getUint32(index * entryBytes + 4) & 0xfffffe00) >>> 0)) as HostOffset
  }

  /**
   * Hooks a refcount block into the table, durably. Memory follows as soon as the write has succeeded: after a failed
   * flush `offsetOf` tells which entry is in force.
   *
   * @param index - below `entryCount`
   */
  async store(index: number, offset: HostOffset): Promise<void> {
    const { file, header } = this.#options
    const entry = new Uint8Array(entryBytes)
    writeU64(viewOf(entry), 0, offset)
    await file.write(header.header.refcountTableOffset + index * entryBytes, entry)
    this.#blocks.remove(this.offsetOf(index))
    this.#bytes.set(entry, index * entryBytes)
    this.#blocks.add(offset)
    await file.flush()
  }

  /**
   * Writes another content over the table, durably, sector by sector: every entry is the old or the new one at any instant,
   * and memory follows each sector, so that after a failure `offsetOf` tells which entries are in force. One write of all
   * of them could fail when a part has reached the disk, and nobody would know which.
   *
   * @param table - as long as the table is
   */
  async storeAll(table: Uint8Array): Promise<void> {
    const { file, header } = this.#options
    try {
      for (let at = 0; at < table.length; at += sectorBytes) {
        const sector = table.subarray(at, at + sectorBytes)
        const old = this.#bytes.subarray(at, at + sectorBytes)
        if (sector.every((byte, index) => byte === old[index])) continue
        await file.write(header.header.refcountTableOffset + at, sector)
        old.set(sector)
      }
    } finally {
      this.#blocks.fill(this.entryCount, (index) => this.offsetOf(index))
    }
    await file.flush()
  }

  /** Takes `table` as the table in force; its place is the header's business. */
  replace(table: Uint8Array): void {
    this.#bytes = table
    this.#view = viewOf(table)
    this.#blocks.fill(this.entryCount, (index) => this.offsetOf(index))
  }
}
