/**
 * Another width of the reference counts.
 *
 * All counts are written again, in new blocks and a new table beside the old ones, and one write of the header, within
 * its first sector, puts width and table in force together: a power cut leaves the old structures or the new ones. The
 * new ones count themselves and the old ones, which are given up afterwards: a cut, or a failure, costs leaks at most.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_change_refcount_order; spec/qcow2.md, section 3.16
 */

import { BlockError } from '@blocklayer/block-core/driver'
import { type ExclusiveParts, exclusively } from '../../data/exclusive.ts'
import { hexPrefixed, roundUp, viewOf, writeU64 } from '../../format/bytes.ts'
import { entryBytes, limits } from '../../format/constants.ts'
import { type Geometry, type HostOffset, hostOffset, makeGeometry } from '../../format/geometry.ts'
import { getRefcount, setRefcount } from '../../format/refcount-bits.ts'
import type { HeaderStore } from '../../metadata/header-store.ts'
import type { ImageFile } from '../../metadata/image-file.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { OverlapCheck } from '../../metadata/overlap-check.ts'
import type { Allocator } from '../../refcount/allocator.ts'
import type { DiscardQueue } from '../../refcount/discard-queue.ts'
import type { Refblocks } from '../../refcount/refblock.ts'
import type { AmendProgress } from './progress.ts'

/** What a change of the width works with. */
export interface RefcountOrderParts extends ExclusiveParts {
  readonly file: ImageFile
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly overlap: OverlapCheck
  readonly allocator: Allocator
  readonly refblocks: Refblocks
  readonly freed: DiscardQueue
  /** Has all rooms built anew for another geometry: these parts are the new ones from then on. No request runs. */
  rebuild(geometry: Geometry): void
}

/**
 * Changes the width to `2 ** order` bits.
 *
 * @param order - 0 to 6
 * @throws BlockError `EINVAL` for a count that does not fit, `ENOTSUP` for a table that would be too long, or of the
 *   file; the image then has its old width, or, where only the last flush failed, the new one
 */
export async function changeRefcountOrder(
  parts: RefcountOrderParts,
  order: number,
  progress: AmendProgress,
): Promise<void> {
  const old = await exclusively(parts, 0, Number.POSITIVE_INFINITY, () => switchOver(parts, order, progress))
  await parts.lock.run(() => giveUp(parts, old))
}

/** Structures that are no longer in force. */
interface OldStructures {
  readonly table: Uint8Array
  readonly offset: HostOffset
}

async function switchOver(parts: RefcountOrderParts, order: number, progress: AmendProgress): Promise<OldStructures> {
  const { geometry, header, caches, freed, refblocks } = parts
  const next = makeGeometry({ ...geometry, refcountOrder: order })
  await caches.flush()
  await caches.markClean()
  if (!freed.isEmpty) await freed.releaseAll()
  const layout = new NewStructures(parts, next)
  let offset = hostOffset(0)
  try {
    await layout.checkFit()
    while (await layout.place());
    await layout.write(progress)
    // Not before: placing may have moved the old table.
    offset = hostOffset(header.header.refcountTableOffset)
    await header.storeRefcountStructures(layout.inHeader)
  } catch (error) {
    if (header.header.refcountOrder === order) {
      // Only the flush failed: the header names the new table, and the old one is not ours to give away yet.
      takeOver(parts, layout)
    } else await layout.free()
    throw error
  }
  const old = { table: refblocks.table.bytes, offset }
  takeOver(parts, layout)
  return old
}

function takeOver(parts: RefcountOrderParts, layout: NewStructures): void {
  parts.rebuild(layout.geometry)
  parts.refblocks.table.replace(layout.tableBytes())
}

/** What fails here is a leak, and is reported. */
async function giveUp(parts: RefcountOrderParts, { table, offset }: OldStructures): Promise<void> {
  const { allocator, geometry } = parts
  const view = viewOf(table)
  const options = { discard: 'other', unlinked: 'on-disk' } as const
  for (let at = 0; at < table.length; at += entryBytes) {
    const block = hostOffset(view.getUint32(at) * 2 ** 32 + ((view.getUint32(at + 4) & 0xfffffe00) >>> 0))
    if (block !== 0) await allocator.free(block, geometry.clusterSize, options)
  }
  await allocator.free(offset, table.length, options)
}

/** New blocks and their table: placed in clusters that the old structures count, then filled. */
class NewStructures {
  readonly geometry: Geometry
  readonly #parts: RefcountOrderParts
  /** Offset of each new block; 0 where there is none. */
  #blocks: Float64Array = new Float64Array(0)
  #tableOffset: HostOffset = hostOffset(0)
  #tableBytes = 0

  constructor(parts: RefcountOrderParts, geometry: Geometry) {
    this.#parts = { ...parts }
    this.geometry = geometry
  }

  /** @throws BlockError `EINVAL` where a count does not fit the new width */
  async checkFit(): Promise<void> {
    const { refcountMax, refcountBits, clusterSize } = this.geometry
    await this.#forEachCount((cluster, count) => {
      if (count <= refcountMax) return
      const place = `Cluster at offset ${hexPrefixed(cluster * clusterSize)} has a refcount of ${count}`
      throw new BlockError('EINVAL', `Cannot decrease refcount entry width to ${refcountBits} bits: ${place}`)
    })
  }

  /**
   * Takes clusters for what has no place yet. These clusters are counted too, so that there may be more to place.
   *
   * @returns `false` when all that is counted has its block, and all blocks have their entry
   */
  async place(): Promise<boolean> {
    const { allocator } = this.#parts
    const { clusterSize, refblockEntries } = this.geometry
    const missing: number[] = []
    await this.#forEachCount((cluster) => {
      const index = Math.floor(cluster / refblockEntries)
      if ((this.#blocks[index] ?? 0) === 0 && missing.at(-1) !== index) missing.push(index)
    })
    for (const index of missing) {
      this.#grow(index + 1)
      this.#blocks[index] = await allocator.allocate(clusterSize)
    }
    const bytes = this.#blocks.length * entryBytes
    if (bytes > this.#tableBytes) {
      await this.#freeTable()
      this.#tableOffset = await allocator.allocate(bytes)
      this.#tableBytes = bytes
      return true
    }
    return missing.length > 0
  }

  /** Writes all blocks, then the table, durably. @throws what the file, or a stopped job, throws */
  async write(progress: AmendProgress): Promise<void> {
    const { file } = this.#parts
    progress.expect(this.#blocks.filter((offset) => offset !== 0).length)
    for (let index = 0; index < this.#blocks.length; index++) {
      const offset = this.#blocks[index]!
      if (offset === 0) continue
      await this.#write(offset, await this.#block(index))
      progress.step()
    }
    await this.#write(this.#tableOffset, this.tableBytes())
    await file.flush()
  }

  /** What the header is to say. */
  get inHeader(): { refcountTableOffset: number; refcountTableClusters: number; refcountOrder: number } {
    return {
      refcountTableOffset: this.#tableOffset,
      refcountTableClusters: this.#tableBytes / this.geometry.clusterSize,
      refcountOrder: this.geometry.refcountOrder,
    }
  }

  /** The table as on disk. */
  tableBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#tableBytes)
    const view = viewOf(bytes)
    this.#blocks.forEach((offset, index) => {
      writeU64(view, index * entryBytes, offset)
    })
    return bytes
  }

  /** Gives everything back: the old structures stay in force. */
  async free(): Promise<void> {
    const { allocator } = this.#parts
    for (const offset of this.#blocks) {
      if (offset === 0) continue
      await allocator.free(hostOffset(offset), this.geometry.clusterSize, { discard: 'always', unlinked: 'on-disk' })
    }
    await this.#freeTable()
  }

  async #freeTable(): Promise<void> {
    if (this.#tableBytes === 0) return
    await this.#parts.allocator.free(this.#tableOffset, this.#tableBytes, { discard: 'always', unlinked: 'on-disk' })
    this.#tableBytes = 0
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    const { file, overlap } = this.#parts
    await overlap.check(offset, bytes.length)
    await file.write(offset, bytes)
  }

  /** Counts of one new block, as the old structures have them now. */
  async #block(index: number): Promise<Uint8Array> {
    const { refblocks, geometry: old } = this.#parts
    const { refblockEntries, refcountOrder, clusterSize } = this.geometry
    const bytes = new Uint8Array(clusterSize)
    const end = (index + 1) * refblockEntries
    for (let cluster = index * refblockEntries; cluster < end; ) {
      const from = cluster % old.refblockEntries
      const count = Math.min(old.refblockEntries - from, end - cluster)
      const block = await refblocks.load(cluster)
      for (let step = 0; block !== undefined && step < count; step++) {
        const value = getRefcount(block, old.refcountOrder, from + step)
        if (value > 0) setRefcount(bytes, refcountOrder, (cluster + step) % refblockEntries, value)
      }
      cluster += count
    }
    return bytes
  }

  /** Calls `visit` for every cluster that is counted, in ascending order. */
  async #forEachCount(visit: (cluster: number, count: number) => void): Promise<void> {
    const { refblocks, geometry: old } = this.#parts
    for (let index = 0; index < refblocks.table.entryCount; index++) {
      const first = index * old.refblockEntries
      const block = await refblocks.load(first)
      if (block === undefined) continue
      for (let entry = 0; entry < old.refblockEntries; entry++) {
        const count = getRefcount(block, old.refcountOrder, entry)
        if (count > 0) visit(first + entry, count)
      }
    }
  }

  /** @throws BlockError `ENOTSUP` where the table could not be opened again */
  #grow(entries: number): void {
    if (entries <= this.#blocks.length) return
    const length = roundUp(entries, this.geometry.entriesPerCluster)
    if (length * entryBytes > limits.refcountTableBytes) {
      const what = 'make the refcount table grow beyond the maximum size supported by QEMU'
      throw new BlockError('ENOTSUP', `This operation would ${what}, aborting`)
    }
    const blocks = new Float64Array(length)
    blocks.set(this.#blocks)
    this.#blocks = blocks
  }
}
