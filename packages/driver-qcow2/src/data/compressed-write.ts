/** Writing compressed clusters. */

import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { type Geometry, type GuestOffset, guestOffset, isClusterAligned } from '../format/geometry.ts'
import { encodeCompressed } from '../format/l2-entry.ts'
import type { Linker } from '../mapping/link.ts'
import type { L2Tables } from '../mapping/l2-table.ts'
import type { Lookup } from '../mapping/lookup.ts'
import type { OverlapCheck } from '../metadata/overlap-check.ts'
import type { Allocator } from '../refcount/allocator.ts'
import type { ByteAllocator } from '../refcount/byte-allocator.ts'
import { exclusively } from './exclusive.ts'
import type { InFlightWrites } from './in-flight.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import { TaskPool } from './task-pool.ts'
import type { Writer } from './write.ts'

/** Compresses a cluster's bytes. */
export type Compress = (input: Uint8Array) => Promise<Uint8Array>

/** What compressed writes are made of. */
export interface CompressedWriterOptions {
  readonly file: Child
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly inFlight: InFlightWrites
  readonly lookup: Lookup
  readonly l2Tables: L2Tables
  readonly linker: Linker
  readonly overlap: OverlapCheck
  readonly allocator: Allocator
  readonly byteAllocator: ByteAllocator
  readonly writer: Writer
  readonly compress: Compress
  /** Virtual size in bytes. */
  length(): number
}

/**
 * Writes whole clusters compressed, one after the other in the file.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_pwritev_compressed_part; spec/qcow2.md, section 3.9
 */
export class CompressedWriter {
  readonly #parts: CompressedWriterOptions

  constructor(options: CompressedWriterOptions) {
    this.#parts = options
  }

  /**
   * Writes `data` compressed. What compression does not make smaller is written as it is. No bytes at all end a series:
   * the file is cut to whole sectors.
   *
   * @throws BlockError `ENOTSUP` with an external data file, `EINVAL` for parts of clusters, `EIO` where a cluster is allocated already
   */
  async write(offset: number, data: Uint8Array): Promise<void> {
    const { file, geometry, length } = this.#parts
    // Compressed clusters lie at any place, and those of a data file only at their guest offset.
    if (geometry.externalData) throw BlockError.fromErrno('ENOTSUP')
    if (data.length === 0) {
      await file.truncate(Math.ceil(file.length / 512) * 512)
      return
    }
    const end = offset + data.length
    const isWhole = isClusterAligned(geometry, data.length) || end === length()
    if (!isClusterAligned(geometry, offset) || !isWhole) throw BlockError.fromErrno('EINVAL')
    const pool = new TaskPool()
    try {
      for (let done = 0; done < data.length && !pool.failed; done += geometry.clusterSize) {
        const cluster = data.subarray(done, Math.min(done + geometry.clusterSize, data.length))
        await pool.start(() => this.#writeCluster(guestOffset(offset + done), cluster))
      }
    } finally {
      await pool.finish()
    }
  }

  async #writeCluster(offset: GuestOffset, data: Uint8Array): Promise<void> {
    const { geometry, compress, writer } = this.#parts
    // The last cluster may end behind the disk's end; it is stored as a whole all the same.
    const whole = data.length === geometry.clusterSize ? data : new Uint8Array(geometry.clusterSize)
    if (whole !== data) whole.set(data)
    const compressed = await compress(whole)
    if (compressed.length >= geometry.clusterSize) await writer.write(offset, data)
    else await this.#store(offset, compressed)
  }

  async #store(offset: GuestOffset, compressed: Uint8Array): Promise<void> {
    const { file, geometry, lock, inFlight, l2Tables, allocator, byteAllocator, overlap, linker } = this.#parts
    const pending = { start: offset, end: offset + geometry.clusterSize, allocates: true }
    const place = await exclusively(this.#parts, pending.start, pending.end, async () => {
      await this.#requireEmpty(offset)
      // A table that has to be made comes before the data in the file, as in the reference.
      await l2Tables.loadForUpdate(offset)
      const found = await byteAllocator.allocate(compressed.length)
      inFlight.add(pending)
      return found
    })
    try {
      // The event of the entry comes first, as in the reference; the entry itself only when there is data to point to.
      await file.debugEvent('l2_update_compressed')
      await lock.run(async () => overlap.check(place, compressed.length))
      await file.debugEvent('write_compressed')
      await file.write(place, compressed)
      await lock.run(() => linker.linkEntry(offset, encodeCompressed(geometry, place, compressed.length)))
    } catch (error) {
      await lock.run(() => allocator.free(place, compressed.length, { discard: 'never', unlinked: 'on-disk' }))
      throw error
    } finally {
      inFlight.remove(pending)
    }
  }

  /** Only what has no host cluster may be written compressed. */
  async #requireEmpty(offset: GuestOffset): Promise<void> {
    const { type } = await this.#parts.lookup.find(offset, 1)
    if (type !== 'unallocated' && type !== 'zero-plain') throw BlockError.fromErrno('EIO')
  }
}
