/**
 * Zero flags replaced by what version 2 can say: nothing mapped where nothing shows through, else a cluster of zeroes.
 *
 * Every table that changes is changed in place, also one that several snapshots share: all its owners see the same bytes
 * before and after. Zeroes are durable before an entry shows them. A cluster that somebody else refers to is not
 * touched: a snapshot may show data where the disk has only a flag over the same cluster. (The reference writes zeroes
 * there, and the snapshot's data is gone.)
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: qcow2_expand_zero_clusters; spec/qcow2.md, section 3.16
 */

import { BlockError } from '@blocklayer/block-core/driver'
import { hexPrefixed, viewOf } from '../../format/bytes.ts'
import { entryBytes, zeroFlagLow } from '../../format/constants.ts'
import { clusterIndex, clusterOffset, type HostOffset, isClusterAligned } from '../../format/geometry.ts'
import { clusterType, entryHigh, entryLow, entryOffset } from '../../format/l2-entry.ts'
import { loadSnapshotL1, type SnapshotParts } from '../snapshot/snapshots.ts'
import type { AmendProgress } from './progress.ts'

/** What the expansion works with. */
export interface ExpansionParts extends SnapshotParts {
  readonly state: SnapshotParts['state'] & { readonly backing: unknown }
}

/** Replaces all zero flags, in the active tables and in those of the snapshots. */
export class ZeroExpansion {
  readonly #parts: ExpansionParts
  readonly #progress: AmendProgress
  /** Unmapped clusters show something else than zeroes. */
  readonly #hasBacking: boolean

  constructor(parts: ExpansionParts, progress: AmendProgress) {
    this.#parts = parts
    this.#progress = progress
    this.#hasBacking = parts.state.backing !== undefined || parts.header.extensions.backingFile !== undefined
  }

  /**
   * Does it all. Tables stay in the cache; what they need to be durable before them is declared.
   *
   * @throws BlockError of the file, or after corruption has been reported; `ENOTSUP` where something is compressed in a
   *   way that version 2 cannot name. What was replaced until then stays
   */
  async run(): Promise<void> {
    const { l1, state } = this.#parts
    await this.#tablesOf(l1.bytes.slice())
    for (const entry of state.snapshots.entries) await this.#tablesOf(await loadSnapshotL1(this.#parts, entry))
  }

  async #tablesOf(l1: Uint8Array): Promise<void> {
    const { geometry, corruption, caches } = this.#parts
    const view = viewOf(l1)
    const tableOf = (at: number): HostOffset => entryOffset(view.getUint32(at), view.getUint32(at + 4))
    for (let at = 0; at < l1.length; at += entryBytes) if (tableOf(at) !== 0) this.#progress.expect(1)
    for (let at = 0; at < l1.length; at += entryBytes) {
      const table = tableOf(at)
      if (table === 0) continue
      if (!isClusterAligned(geometry, table)) {
        const place = `L2 table offset ${hexPrefixed(table)} unaligned (L1 index: ${hexPrefixed(at / entryBytes)})`
        throw await corruption.signal('fatal', place)
      }
      for (let slice = 0; slice < geometry.clusterSize; slice += caches.l2Tables.entrySize) {
        await this.#slice(table, slice)
      }
      this.#progress.step()
    }
  }

  async #slice(table: HostOffset, at: number): Promise<void> {
    const { caches, geometry, refcounts } = this.#parts
    const cache = caches.l2Tables
    const owners = Math.max(1, await refcounts.get(clusterIndex(geometry, table)))
    const start = cache.start(await cache.load(table + at))
    const work = new SliceWork(cache.bytes.slice(start, start + cache.entrySize), owners)
    try {
      for (let entry = 0; entry * geometry.l2EntrySize < cache.entrySize; entry++)
        await this.#entry(work, entry, table + at)
    } catch (error) {
      for (const cluster of work.taken) await this.#release(cluster, owners, 'on-disk')
      throw error
    }
    if (!work.changed) return
    await cache.dependOn(caches.refblocks)
    cache.dependOnFlush()
    const slot = await cache.load(table + at)
    cache.bytes.set(work.bytes, cache.start(slot))
    cache.markDirty(slot)
    for (const cluster of work.dropped) await this.#release(cluster, owners, 'in-cache')
  }

  async #entry(work: SliceWork, entry: number, slice: number): Promise<void> {
    const { geometry, header, refcounts } = this.#parts
    const high = work.view.getUint32(entry * geometry.l2EntrySize)
    const low = work.view.getUint32(entry * geometry.l2EntrySize + 4)
    const type = clusterType(high, low, geometry)
    if (type === 'compressed' && header.header.compressionType !== 0) {
      const what = 'an image with zstd compression type and existing compressed clusters'
      throw new BlockError('ENOTSUP', `Cannot downgrade ${what}`)
    }
    if (type === 'zero-plain') {
      await this.#fresh(work, entry)
    } else if (type === 'zero-alloc') {
      const offset = entryOffset(high, low)
      if (!isClusterAligned(geometry, offset)) throw await this.#unaligned(offset, slice, entry)
      const cluster = clusterIndex(geometry, offset)
      if ((await refcounts.get(cluster)) > work.owners) {
        await this.#fresh(work, entry)
        work.dropped.push(cluster)
        return
      }
      await this.#zero(offset)
      work.set(entry * geometry.l2EntrySize, high, (low & ~zeroFlagLow) >>> 0)
    }
  }

  /** Gives an entry a cluster of zeroes of its own, or nothing where that reads as zeroes. */
  async #fresh(work: SliceWork, entry: number): Promise<void> {
    const { geometry, allocator, refcounts } = this.#parts
    const at = entry * geometry.l2EntrySize
    if (!this.#hasBacking) {
      work.set(at, 0, 0)
      return
    }
    const offset = await allocator.allocate(geometry.clusterSize)
    const first = clusterIndex(geometry, offset)
    if (work.owners > 1) {
      const more = { first, clusterCount: 1, delta: work.owners - 1, discard: 'never', unlinked: 'on-disk' } as const
      try {
        while ((await refcounts.update(more)) === 'again');
      } catch (error) {
        await this.#release(first, 1, 'on-disk')
        throw error
      }
    }
    work.taken.push(first)
    await this.#zero(offset)
    work.set(at, entryHigh(offset, work.owners === 1), entryLow(offset))
  }

  async #zero(offset: HostOffset): Promise<void> {
    const { file, overlap, geometry } = this.#parts
    await overlap.check(offset, geometry.clusterSize)
    await file.writeZeroes(offset, geometry.clusterSize)
  }

  /** Gives up references; a failure only leaks. */
  async #release(cluster: number, times: number, unlinked: 'on-disk' | 'in-cache'): Promise<void> {
    const { allocator, geometry } = this.#parts
    for (let time = 0; time < times; time++) {
      await allocator.free(clusterOffset(geometry, cluster), geometry.clusterSize, {
        discard: 'snapshot',
        unlinked,
      })
    }
  }

  #unaligned(offset: HostOffset, slice: number, entry: number): Promise<Error> {
    const place = `(L2 offset: ${hexPrefixed(slice)}, L2 index: ${hexPrefixed(entry)})`
    const what = `Cluster allocation offset ${hexPrefixed(offset)} unaligned`
    return this.#parts.corruption.signal('fatal', `${what} ${place}`)
  }
}

/** One slice as it is to be. */
class SliceWork {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** References to the table, and so to everything that only it names. */
  readonly owners: number
  /** Clusters allocated for it. */
  readonly taken: number[] = []
  /** Clusters that it names no more. */
  readonly dropped: number[] = []
  changed = false

  constructor(bytes: Uint8Array, owners: number) {
    this.bytes = bytes
    this.view = viewOf(bytes)
    this.owners = owners
  }

  set(at: number, high: number, low: number): void {
    this.view.setUint32(at, high)
    this.view.setUint32(at + 4, low)
    this.changed = true
  }
}
