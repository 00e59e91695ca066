/** Room for compressed clusters, which are packed without regard to cluster bounds. */

import type { Child } from '@blocklayer/block-core/driver'
import { limits } from '../format/constants.ts'
import { clusterOffset, type Geometry, type HostOffset, hostOffset } from '../format/geometry.ts'
import type { Corruption } from '../metadata/corruption.ts'
import type { FreeSearch } from './free-search.ts'
import type { Refcounts } from './refcounts.ts'

/** What the allocator is made of. */
export interface ByteAllocatorOptions {
  readonly file: Child
  readonly geometry: Geometry
  readonly search: FreeSearch
  readonly refcounts: Refcounts
  readonly corruption: Corruption
}

/**
 * Hands out bytes. Each compressed cluster holds one reference to every host cluster that it touches.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_alloc_bytes
 */
export class ByteAllocator {
  readonly #parts: ByteAllocatorOptions
  /** Where the last compressed cluster ends, inside a cluster that has room left; 0 where there is none. */
  #next = 0

  constructor(options: ByteAllocatorOptions) {
    this.#parts = options
    const { clusterSize } = options.geometry
    // A cluster that is free may become anybody's: what is left of it is no room for us any more.
    options.refcounts.onFree((first, clusterCount) => {
      const cluster = Math.floor(this.#next / clusterSize)
      if (this.#next !== 0 && first <= cluster && cluster < first + clusterCount) this.#next = 0
    })
  }

  /** Forgets the cluster that was being filled (an emptied image). */
  reset(): void {
    this.#next = 0
  }

  /**
   * Offset of `bytes` bytes, counted.
   *
   * @param bytes - 1 to the cluster size
   * @throws BlockError `EFBIG` where no compressed entry could name the place
   */
  async allocate(bytes: number): Promise<HostOffset> {
    const { file, geometry, refcounts } = this.#parts
    const { clusterSize } = geometry
    await file.debugEvent('cluster_alloc_bytes')
    for (;;) {
      const offset = await this.#place(bytes)
      const first = Math.floor(offset / clusterSize)
      const clusterCount = Math.floor((offset + bytes - 1) / clusterSize) - first + 1
      if ((await refcounts.increment(first, clusterCount)) === 'again') {
        // The new refcount block may lie where we wanted to be.
        this.#next = 0
        continue
      }
      const end = offset + bytes
      this.#next = end % clusterSize === 0 ? 0 : end
      return hostOffset(offset)
    }
  }

  async #place(bytes: number): Promise<number> {
    const { geometry, search, refcounts, corruption } = this.#parts
    const { clusterSize } = geometry
    let next = this.#next
    const full = next !== 0 && (await refcounts.get(Math.floor(next / clusterSize))) >= geometry.refcountMax
    if (full) next = 0
    const room = next === 0 ? 0 : clusterSize - (next % clusterSize)
    if (room >= bytes) return next
    const cluster = await search.find(1, Math.min(geometry.compressedOffsetLimit, limits.hostOffset) - 1)
    if (cluster === 0) {
      throw await corruption.signal('fatal', 'Preventing invalid allocation of compressed cluster at offset 0')
    }
    const fresh = clusterOffset(geometry, cluster)
    // The search may have freed what we were filling.
    const follows = this.#next !== 0 && next !== 0 && fresh === next + room
    return follows ? next : fresh
  }
}
