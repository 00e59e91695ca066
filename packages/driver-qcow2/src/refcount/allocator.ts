/** Getting clusters and giving them back. */

import { type Child, toBlockError } from '@blocklayer/block-core/driver'
import { limits } from '../format/constants.ts'
import { clusterOffset, clustersFor, type Geometry, type HostOffset } from '../format/geometry.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { DiscardClass } from './discard-queue.ts'
import type { FreeSearch } from './free-search.ts'
import type { Refcounts, Unlinked } from './refcounts.ts'

/** What the allocator is made of. */
export interface AllocatorOptions {
  readonly file: Child
  readonly geometry: Geometry
  readonly search: FreeSearch
  readonly refcounts: Refcounts
  readonly l2Cache: TableCache
  readonly refblockCache: TableCache
  /** Takes a line for the user's eyes. */
  report(line: string): void
}

/** How a range is given back. */
export interface FreeOptions {
  readonly discard: DiscardClass
  readonly unlinked: Unlinked
}

/**
 * Hands out clusters of the image file, always whole ones.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_alloc_clusters, qcow2_alloc_clusters_at, qcow2_free_clusters
 */
export class Allocator {
  readonly #parts: AllocatorOptions

  constructor(options: AllocatorOptions) {
    this.#parts = options
  }

  /**
   * Offset of `bytes` bytes in consecutive clusters, counted once each.
   *
   * @throws BlockError `EFBIG` where the file would pass 2^56 bytes
   */
  async allocate(bytes: number): Promise<HostOffset> {
    const { file, geometry, search, refcounts } = this.#parts
    const clusterCount = clustersFor(geometry, bytes)
    await file.debugEvent('cluster_alloc')
    for (;;) {
      const first = await search.find(clusterCount, limits.hostOffset - 1)
      if ((await refcounts.increment(first, clusterCount)) === 'done') return clusterOffset(geometry, first)
    }
  }

  /**
   * Takes clusters at a wished-for place, as many as are free there.
   *
   * @param offset - cluster aligned
   * @returns number of clusters taken from `offset` on, 0 to `clusterCount`
   */
  async allocateAt(offset: HostOffset, clusterCount: number): Promise<number> {
    const { geometry, search, refcounts } = this.#parts
    const first = offset / geometry.clusterSize
    for (;;) {
      const free = await search.countFreeAt(first, clusterCount)
      if (free === 0) return 0
      if ((await refcounts.increment(first, free)) === 'done') return free
    }
  }

  /**
   * Takes one reference away from every cluster that `bytes` bytes at `offset` touch.
   *
   * A failure only leaks the clusters: it is reported to the user and not thrown, as whoever frees has nothing left to
   * undo.
   *
   * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_free_clusters
   */
  async free(offset: HostOffset, bytes: number, options: FreeOptions): Promise<void> {
    try {
      await this.#parts.file.debugEvent('cluster_free')
      await this.release(offset, bytes, options)
    } catch (error) {
      this.#parts.report(`qcow2_free_clusters failed: ${toBlockError(error).errnoText}`)
    }
  }

  /** As `free`, but throws: for callers that can still report the failure as their own. */
  async release(offset: HostOffset, bytes: number, options: FreeOptions): Promise<void> {
    if (bytes === 0) return
    const { geometry, refcounts } = this.#parts
    const first = Math.floor(offset / geometry.clusterSize)
    const last = Math.floor((offset + bytes - 1) / geometry.clusterSize)
    await refcounts.update({ first, clusterCount: last - first + 1, delta: -1, ...options })
  }

  /**
   * `free` for the cluster of a table: what the caches hold of it must not be written over its next owner. A table that
   * somebody else refers to stays a table, and cached.
   */
  async freeTable(offset: HostOffset, options: FreeOptions): Promise<void> {
    const { geometry, l2Cache, refblockCache, refcounts } = this.#parts
    if ((await refcounts.get(offset / geometry.clusterSize)) <= 1) {
      for (const cache of [l2Cache, refblockCache]) {
        for (let at = 0; at < geometry.clusterSize; at += cache.entrySize) cache.forget(offset + at)
      }
    }
    await this.free(offset, geometry.clusterSize, options)
  }
}
