/** Guest zero writes and discards: entries instead of data. */

import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { type Geometry, type GuestOffset, offsetInCluster } from '../format/geometry.ts'
import type { Lookup } from '../mapping/lookup.ts'
import type { Unmapper } from '../mapping/unmap.ts'
import type { Zeroizer } from '../mapping/zeroize.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import type { DiscardQueue } from '../refcount/discard-queue.ts'
import { exclusively } from './exclusive.ts'
import type { InFlightWrites } from './in-flight.ts'

/** What zero writes are made of. */
export interface ZeroWriterOptions {
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly lookup: Lookup
  readonly zeroizer: Zeroizer
  readonly unmapper: Unmapper
  readonly data: DataFile
  readonly dataFreed: DiscardQueue
  readonly inFlight: InFlightWrites
  /** Virtual size in bytes. */
  length(): number
  backing(): Child | undefined
  version(): number
}

/**
 * Zeroes and discards guest ranges.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_pwrite_zeroes, qcow2_co_pdiscard
 */
export class ZeroWriter {
  readonly #parts: ZeroWriterOptions

  constructor(options: ZeroWriterOptions) {
    this.#parts = options
  }

  /**
   * Makes the range read as zeroes. The core sends whole subclusters (whole clusters, where those have none), or pieces
   * of one.
   *
   * @throws BlockError `ENOTSUP` where only data can do it
   */
  async writeZeroes(offset: number, bytes: number, flags: { readonly mayUnmap: boolean }): Promise<void> {
    const { geometry, zeroizer } = this.#parts
    const { subclusterSize } = geometry
    const head = offset % subclusterSize
    const end = offset + bytes
    const toDiskEnd = end === this.#parts.length()
    const tail = toDiskEnd ? 0 : roundUpGap(end, subclusterSize)
    const start = (offset - head) as GuestOffset
    const zeroize = (): Promise<void> => zeroizer.zeroize(start, end + tail - start, { ...flags, toDiskEnd })
    const pastEnd = end + roundUpGap(end, geometry.clusterSize)
    if (head === 0 && tail === 0) {
      await exclusively(this.#parts, start, toDiskEnd ? pastEnd : end, zeroize)
      return
    }
    // The rest of the subcluster becomes zero as well, which is right only if it reads as zero anyway.
    const isZeroBelow = (await this.#isZeroBelow(start, head)) && (await this.#isZeroBelow(end as GuestOffset, tail))
    await exclusively(this.#parts, start, toDiskEnd ? pastEnd : end + tail, async () => {
      const run = await this.#parts.lookup.find(start, 1)
      const readsZero = run.type === 'zero-plain' || run.type === 'zero-alloc'
      const isUnallocated = run.type === 'unallocated' || run.type === 'unallocated-alloc'
      if (!readsZero && !(isUnallocated && isZeroBelow)) throw BlockError.fromErrno('ENOTSUP')
      await zeroize()
    })
  }

  /**
   * Takes whole clusters out of the mapping.
   *
   * @throws BlockError `ENOTSUP` for parts of clusters, and where the backing file would show through
   */
  async discard(offset: number, bytes: number): Promise<void> {
    const { geometry, unmapper, zeroizer, data, dataFreed, version, backing, length } = this.#parts
    if (version() < 3 && backing() !== undefined) throw BlockError.fromErrno('ENOTSUP')
    const end = offset + bytes
    const isWhole = offsetInCluster(geometry, offset) === 0
    if (!isWhole || (roundUpGap(end, geometry.clusterSize) !== 0 && end !== length()))
      throw BlockError.fromErrno('ENOTSUP')
    const start = offset as GuestOffset
    await exclusively(this.#parts, start, end, async () => {
      if (!data.isRaw) await unmapper.unmap(start, bytes, { discard: 'request', full: false })
      // Where the file is not to be touched nothing is: it must go on showing what the guest sees.
      else if (dataFreed.passes('request')) {
        await zeroizer.zeroize(start, bytes, { mayUnmap: true, toDiskEnd: end === length() })
      }
    })
  }

  /** What an unallocated part shows; asked before the lock is taken, since the backing file may take its time. */
  async #isZeroBelow(offset: GuestOffset, bytes: number): Promise<boolean> {
    const backing = this.#parts.backing()
    return bytes === 0 || backing === undefined || backing.readsZero(offset, bytes)
  }
}

/** Bytes from `offset` to the next multiple of `size`; 0 where it is one. */
function roundUpGap(offset: number, size: number): number {
  const rest = offset % size
  return rest === 0 ? 0 : size - rest
}
