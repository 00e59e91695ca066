/** New refcount blocks and a new refcount table, written from the counted references; the old ones are left behind. */

import { BlockError, errnoText, toBlockError } from '@blocklayer/block-core/driver'
import { roundUp, viewOf, writeU64 } from '../../format/bytes.ts'
import { entryBytes } from '../../format/constants.ts'
import type { CheckJob, CheckParts } from './check-parts.ts'
import type { RefcountModel } from './refcount-model.ts'

/** What a rebuild works with. */
export interface RebuildOptions {
  readonly parts: CheckParts
  readonly model: RefcountModel
  readonly job: CheckJob
}

/**
 * Writes refcount structures that say what `model` says, and switches the header to them.
 *
 * The model counts the new clusters as they are taken, so that a block may have to be written again; nothing that is
 * referred to is overwritten, and the old structures stay in force until the header names the new table.
 *
 * @throws BlockError of the file; the image is then as before, or, where only the last flush failed, as after
 * @see QEMU 7.2 block/qcow2-refcount.c: rebuild_refcount_structure
 */
export async function rebuildRefcounts(options: RebuildOptions): Promise<void> {
  const { parts, model } = options
  const { geometry, caches, header } = parts
  try {
    // Blocks in the cache describe structures that are given up.
    await caches.refblocks.empty()
  } catch (error) {
    const failure = toBlockError(error)
    if (failure.code !== 'ENOMEDIUM') throw failure
    // Corruption that the comparison met has ejected the image; the reference notices when it writes.
    parts.reportError(`ERROR writing refblock: ${errnoText('EIO')}`)
    throw BlockError.fromErrno('EIO', { cause: failure })
  }
  const layout = new Layout(options)
  layout.placeBlocks(0)
  // Blocks and table are counted themselves: each may need another block, until nothing moves any more.
  while (layout.placeTable());
  await layout.write()
  const refcountTableOffset = layout.tableCluster * geometry.clusterSize
  try {
    // Blocks and table before the header that names them.
    await parts.file.flush()
    await header.storeRefcountTable({ refcountTableOffset, refcountTableClusters: layout.tableClusters })
  } catch (error) {
    // If only the flush behind it failed, the header names the new table: memory must not go on with the old one.
    if (header.header.refcountTableOffset === refcountTableOffset) takeOver(parts, layout)
    parts.reportError(`ERROR setting reftable: ${toBlockError(error).errnoText}`)
    throw toBlockError(error)
  }
  takeOver(parts, layout)
  model.followFile()
}

function takeOver({ refblocks, search }: CheckParts, layout: Layout): void {
  refblocks.table.replace(layout.tableBytes())
  // The structures have changed under the search for free clusters.
  search.reset()
}

/** Places of the new structures. */
class Layout {
  readonly #options: RebuildOptions
  /** Cluster number of each block; 0 where there is none. */
  #blocks: Float64Array = new Float64Array(0)
  tableCluster = -1
  tableClusters = 0

  constructor(options: RebuildOptions) {
    this.#options = options
  }

  /**
   * Finds a place for the block of every range with a cluster in use, from cluster `from` on. A block goes to the first
   * free cluster of the range that it counts, or behind it.
   */
  placeBlocks(from: number): void {
    const { model, parts } = this.#options
    const { refblockEntries } = parts.geometry
    for (let cluster = model.nextUsed(from); cluster >= 0; ) {
      const index = Math.floor(cluster / refblockEntries)
      if ((this.#blocks[index] ?? 0) === 0) {
        this.#growTable(index + 1)
        this.#blocks[index] = model.allocate(index * refblockEntries)
      }
      cluster = model.nextUsed((index + 1) * refblockEntries)
    }
  }

  /** Finds a place for the table; `true` where the table had to grow since, so that it needs another one. */
  placeTable(): boolean {
    const { model, parts } = this.#options
    const { entriesPerCluster } = parts.geometry
    this.tableClusters = this.#blocks.length / entriesPerCluster
    this.tableCluster = model.allocate(0, this.tableClusters)
    this.placeBlocks(this.tableCluster)
    return this.#blocks.length / entriesPerCluster !== this.tableClusters
  }

  /** Writes all blocks, then the table. */
  async write(): Promise<void> {
    const { parts, model, job } = this.#options
    const { clusterSize } = parts.geometry
    for (let index = 0; index < this.#blocks.length; index++) {
      if (this.#blocks[index] === 0) continue
      job.signal?.throwIfAborted()
      await this.#write('refblock', this.#blocks[index]! * clusterSize, model.block(index))
    }
    await this.#write('reftable', this.tableCluster * clusterSize, this.tableBytes())
  }

  /** The table as on disk. */
  tableBytes(): Uint8Array {
    const { clusterSize } = this.#options.parts.geometry
    const bytes = new Uint8Array(this.#blocks.length * entryBytes)
    const view = viewOf(bytes)
    this.#blocks.forEach((cluster, index) => {
      writeU64(view, index * entryBytes, cluster * clusterSize)
    })
    return bytes
  }

  async #write(what: string, offset: number, bytes: Uint8Array): Promise<void> {
    const { file, overlap, reportError } = this.#options.parts
    try {
      await overlap.check(offset, bytes.length)
      await file.write(offset, bytes)
    } catch (error) {
      const failure = toBlockError(error)
      reportError(`ERROR writing ${what}: ${failure.errnoText}`)
      throw failure
    }
  }

  #growTable(entries: number): void {
    const length = roundUp(entries, this.#options.parts.geometry.entriesPerCluster)
    if (length <= this.#blocks.length) return
    const blocks = new Float64Array(length)
    blocks.set(this.#blocks)
    this.#blocks = blocks
  }
}
