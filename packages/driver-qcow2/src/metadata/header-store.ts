/** The image header in memory and on disk: whole rewrites, writes of single fields, and the marks for dirty and corrupt. */

import { BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'
import { viewOf, writeU64 } from '../format/bytes.ts'
import { headerField } from '../format/constants.ts'
import { featureWordBytes, hasFeature, incompatible, withFeature, withoutFeature } from '../format/features.ts'
import type { Header } from '../format/header.ts'
import { encodeFirstCluster, type HeaderExtensions } from '../format/header-extension.ts'
import { partsLookedAt, planSwitch, sectorBytes, usedBytes } from './header-switch.ts'

/** Where the field of the refcount width ends. */
const refcountOrderEnd = 100

/** What a rewrite may change. */
export interface HeaderChange {
  readonly header?: Partial<Header>
  readonly extensions?: Partial<HeaderExtensions>
}

/**
 * Holds the decoded header and is the only writer of cluster 0.
 *
 * Memory changes when the write has succeeded: a failed write leaves the old values in force, a failed flush the new.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_update_header, qcow2_mark_dirty, qcow2_mark_clean, qcow2_mark_corrupt
 */
export class HeaderStore {
  readonly #file: Child
  #header: Header
  #extensions: HeaderExtensions
  /** The dirty mark is on disk though not in memory: whatever it stands for may not have been written. */
  #mustStayDirty = false
  /** Behind the first sector stands what this store would write there. */
  #isLaidOut = true
  /** Counts or flags on disk are known to be wrong: only a repair may clear the mark. */
  #needsRepair = false

  constructor(file: Child, header: Header, extensions: HeaderExtensions) {
    this.#file = file
    this.#header = header
    this.#extensions = extensions
  }

  get header(): Header {
    return this.#header
  }

  get extensions(): HeaderExtensions {
    return this.#extensions
  }

  /** Whether refcounts on disk may be too low; while this is so, refcount blocks are not written. */
  get isDirty(): boolean {
    return hasFeature(this.#header.incompatibleFeatures, incompatible.dirty)
  }

  get isCorrupt(): boolean {
    return hasFeature(this.#header.incompatibleFeatures, incompatible.corrupt)
  }

  /** Takes values that another process wrote to the disk in the meantime. */
  replace(header: Header, extensions: HeaderExtensions): void {
    this.#header = header
    this.#extensions = extensions
  }

  /**
   * Takes note of the first cluster as it was found: whether what this store writes behind the first sector is what
   * stands there already.
   */
  noteLayout(found: Uint8Array): void {
    try {
      const { cluster } = this.#changed({})
      this.#isLaidOut = sameFrom(sectorBytes, cluster, found)
    } catch (error) {
      // It does not fit when it is written anew: whoever does so hears of it.
      if (!(error instanceof BlockError)) throw error
      this.#isLaidOut = false
    }
  }

  /** Whether `rewrite` changes but one sector of the file, so that a power cut leaves what was or what is to be. */
  isOneSector(change: HeaderChange): boolean {
    const old = this.#changed({}).cluster
    const wanted = this.#changed(change).cluster
    const first = wanted.findIndex((byte, at) => byte !== old[at])
    const last = wanted.findLastIndex((byte, at) => byte !== old[at])
    return Math.floor(first / sectorBytes) === Math.floor(last / sectorBytes)
  }

  /**
   * Writes the whole first cluster, without a flush where that does no harm.
   *
   * @throws BlockError `ENOSPC` where header, extensions and backing file name do not fit
   */
  async rewrite(change: HeaderChange = {}): Promise<void> {
    // Another program may have put names where a power cut in the middle of this write would not find them.
    if (!this.#isLaidOut) return this.rewriteLayout(change)
    const { header, extensions, cluster } = this.#changed(change)
    await this.#file.write(0, cluster)
    this.replace(header, extensions)
  }

  /**
   * As `rewrite`, durably, for a change that moves extensions and names: a power cut, which may lose single sectors of a
   * write, leaves the old state or the new one, but for clusters too small to hold both (512 bytes are one sector, and
   * need no care).
   *
   * @throws BlockError as `rewrite`
   */
  async rewriteLayout(change: HeaderChange): Promise<void> {
    const { header, extensions, cluster, onDisk } = this.#changed(change)
    const old = await this.#readCluster(cluster.length)
    const way = planSwitch({ old, wanted: cluster, header: onDisk, extensions })
    // Until all is written: a failure leaves whatever was reached.
    this.#isLaidOut = false
    if (way === 'at once') {
      await this.#file.write(0, cluster)
    } else {
      const first = way === 'directly' ? cluster : way
      await this.#storeTail(first)
      await this.#file.write(0, first.subarray(0, sectorBytes))
    }
    // The change is in force, also where one more rewrite follows, which changes nothing but places.
    this.replace(header, extensions)
    await this.#file.flush()
    if (way === 'at once' || (way === 'directly' && usedBytes(old) <= sectorBytes)) {
      this.#isLaidOut = true
      return
    }
    if (way !== 'directly') {
      await this.#storeTail(cluster)
      await this.#file.write(0, cluster.subarray(0, sectorBytes))
      await this.#file.flush()
    }
    // What the old record and the one in between had behind the first sector.
    await this.#file.write(sectorBytes, cluster.subarray(sectorBytes))
    this.#isLaidOut = true
  }

  /** What is looked at behind the first sector, zeroes included, is durable before that sector leads there. */
  async #storeTail(cluster: Uint8Array): Promise<void> {
    const parts = partsLookedAt(cluster)
    if (parts.length === 0) return
    for (const { start, end } of parts) await this.#file.write(start, cluster.subarray(start, end))
    await this.#file.flush()
  }

  /** The first cluster as it is on disk. */
  async #readCluster(bytes: number): Promise<Uint8Array> {
    const cluster = new Uint8Array(bytes)
    await this.#file.read(0, cluster.subarray(0, Math.min(bytes, this.#file.length)))
    return cluster
  }

  #changed(change: HeaderChange): {
    readonly header: Header
    readonly extensions: HeaderExtensions
    readonly cluster: Uint8Array
    /** With the marks that memory has given up already. */
    readonly onDisk: Header
  } {
    const header = { ...this.#header, ...change.header }
    const extensions = { ...this.#extensions, ...change.extensions }
    const { incompatibleFeatures } = header
    const marks = this.#mustStayDirty ? withFeature(incompatibleFeatures, incompatible.dirty) : incompatibleFeatures
    const onDisk = { ...header, incompatibleFeatures: marks }
    return { header, extensions, cluster: encodeFirstCluster(onDisk, extensions), onDisk }
  }

  /** Makes a new virtual size durable. */
  async storeSize(size: number): Promise<void> {
    const bytes = new Uint8Array(8)
    writeU64(viewOf(bytes), 0, size)
    await this.#storeFields(headerField.size, bytes, { size })
  }

  /**
   * Makes another mapping durable: virtual size and L1 table change in one write of 24 bytes, which no sector boundary
   * cuts, so that a power cut leaves the old disk or the new one.
   */
  async storeMapping(place: {
    readonly size: number
    readonly l1Size: number
    readonly l1TableOffset: number
  }): Promise<void> {
    const bytes = new Uint8Array(24)
    const view = viewOf(bytes)
    writeU64(view, 0, place.size)
    view.setUint32(8, this.#header.cryptMethod)
    view.setUint32(12, place.l1Size)
    writeU64(view, 16, place.l1TableOffset)
    await this.#storeFields(headerField.size, bytes, place)
  }

  /** Makes a new place of the L1 table durable: one write, so that size and offset cannot disagree. */
  async storeL1(place: { readonly l1Size: number; readonly l1TableOffset: number }): Promise<void> {
    const bytes = new Uint8Array(12)
    viewOf(bytes).setUint32(0, place.l1Size)
    writeU64(viewOf(bytes), 4, place.l1TableOffset)
    await this.#storeFields(headerField.l1Size, bytes, place)
  }

  /** Makes a new place of the refcount table durable. */
  async storeRefcountTable(place: {
    readonly refcountTableOffset: number
    readonly refcountTableClusters: number
  }): Promise<void> {
    const bytes = new Uint8Array(12)
    writeU64(viewOf(bytes), 0, place.refcountTableOffset)
    viewOf(bytes).setUint32(8, place.refcountTableClusters)
    await this.#storeFields(headerField.refcountTableOffset, bytes, place)
  }

  /**
   * Makes other refcount structures durable, of another width perhaps. Version 3 only.
   *
   * One write of 52 bytes, all of them in the first sector: a power cut leaves the old structures or the new ones.
   */
  async storeRefcountStructures(place: {
    readonly refcountTableOffset: number
    readonly refcountTableClusters: number
    readonly refcountOrder: number
  }): Promise<void> {
    const start = headerField.refcountTableOffset
    const { cluster } = this.#changed({ header: place })
    await this.#storeFields(start, cluster.slice(start, refcountOrderEnd), place)
  }

  /** Makes new places of both the L1 table and the refcount table durable, in one write (emptying an image). */
  async storeL1AndRefcountTable(place: {
    readonly l1TableOffset: number
    readonly refcountTableOffset: number
    readonly refcountTableClusters: number
  }): Promise<void> {
    const bytes = new Uint8Array(20)
    writeU64(viewOf(bytes), 0, place.l1TableOffset)
    writeU64(viewOf(bytes), 8, place.refcountTableOffset)
    viewOf(bytes).setUint32(16, place.refcountTableClusters)
    await this.#storeFields(headerField.l1TableOffset, bytes, place)
  }

  /** Makes a new snapshot table durable: count and offset in one write. */
  async storeSnapshotTable(place: { readonly nbSnapshots: number; readonly snapshotsOffset: number }): Promise<void> {
    const bytes = new Uint8Array(12)
    viewOf(bytes).setUint32(0, place.nbSnapshots)
    writeU64(viewOf(bytes), 4, place.snapshotsOffset)
    await this.#storeFields(headerField.nbSnapshots, bytes, place)
  }

  /** Makes a smaller number of snapshots durable (a repair that drops entries from the table's end). */
  async storeSnapshotCount(nbSnapshots: number): Promise<void> {
    const bytes = new Uint8Array(4)
    viewOf(bytes).setUint32(0, nbSnapshots)
    await this.#storeFields(headerField.nbSnapshots, bytes, { nbSnapshots })
  }

  /**
   * Announces on disk, durably, that refcounts will no longer be kept up to date. Version 3 only.
   *
   * Memory follows only after success: a bit that may not be on disk must not stop refcounts from being written.
   */
  async markDirty(): Promise<void> {
    if (this.isDirty) return
    const incompatibleFeatures = withFeature(this.#header.incompatibleFeatures, incompatible.dirty)
    await this.#file.write(headerField.incompatibleFeatures, featureWordBytes(incompatibleFeatures))
    await this.#file.flush()
    this.#header = { ...this.#header, incompatibleFeatures }
  }

  /** Leaves the dirty mark, where there is one, to the next writable open, which repairs the image. */
  requireRepair(): void {
    this.#needsRepair = true
  }

  /** A repair has set everything right. */
  repaired(): void {
    this.#needsRepair = false
  }

  /**
   * Clears the dirty mark: first in memory, so that `flushCaches` includes the refcount blocks, then on disk.
   *
   * If something fails the mark stays on disk, whatever else is written to the header, until the next call that succeeds,
   * or the next writable open, which repairs; memory is right either way.
   *
   * @param flushCaches - makes all metadata durable
   */
  async markClean(flushCaches: () => Promise<void>): Promise<void> {
    if (!(this.isDirty || this.#mustStayDirty) || this.#needsRepair) return
    const incompatibleFeatures = withoutFeature(this.#header.incompatibleFeatures, incompatible.dirty)
    this.#header = { ...this.#header, incompatibleFeatures }
    this.#mustStayDirty = true
    await flushCaches()
    try {
      this.#mustStayDirty = false
      await this.rewrite()
    } catch (error) {
      this.#mustStayDirty = true
      throw toBlockError(error)
    }
  }

  /** Forbids all later opens for writing until a repair. Memory first: the mark stands even if the disk refuses it. */
  async markCorrupt(): Promise<void> {
    const incompatibleFeatures = withFeature(this.#header.incompatibleFeatures, incompatible.corrupt)
    this.#header = { ...this.#header, incompatibleFeatures }
    await this.rewrite()
  }

  /** Clears the corrupt mark after a repair that mended everything. */
  async markConsistent(flushCaches: () => Promise<void>): Promise<void> {
    if (!this.isCorrupt) return
    await flushCaches()
    const incompatibleFeatures = withoutFeature(this.#header.incompatibleFeatures, incompatible.corrupt)
    await this.rewrite({ header: { incompatibleFeatures } })
  }

  /**
   * Memory follows as soon as the write has succeeded: should only the flush fail, memory and disk still agree, and
   * callers find out from `header` which values are in force.
   */
  async #storeFields(offset: number, bytes: Uint8Array, change: Partial<Header>): Promise<void> {
    await this.#file.write(offset, bytes)
    this.#header = { ...this.#header, ...change }
    await this.#file.flush()
  }
}

/** Whether the bytes of `wanted` from `start` on are those of `found`. */
function sameFrom(start: number, wanted: Uint8Array, found: Uint8Array): boolean {
  for (let at = start; at < wanted.length; at++) if (wanted[at] !== found[at]) return false
  return true
}
