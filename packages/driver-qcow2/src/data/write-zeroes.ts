/** Guest zero writes and discards: entries instead of data. */

import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { type Geometry, type GuestOffset, offsetInCluster } from '../format/geometry.ts'
import type { Lookup } from '../mapping/lookup.ts'
import type { Unmapper } from '../mapping/unmap.ts'
import type { Zeroizer } from '../mapping/zeroize.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import { exclusively } from './exclusive.ts'
import type { InFlightWrites } from './in-flight.ts'

/** What zero writes are made of. */
export interface ZeroWriterOptions {
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly lookup: Lookup
  readonly zeroizer: Zeroizer
  readonly unmapper: Unmapper
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
   * Makes the range read as zeroes. The core sends whole clusters, or pieces of one cluster.
   *
   * @throws BlockError `ENOTSUP` where only data can do it
   */
  async writeZeroes(offset: number, bytes: number, flags: { readonly mayUnmap: boolean }): Promise<void> {
    const { geometry, zeroizer } = this.#parts
    const head = offsetInCluster(geometry, offset)
    const end = offset + bytes
    const tail = end === this.#parts.length() ? 0 : roundUpGap(geometry, end)
    const start = (offset - head) as GuestOffset
    if (head === 0 && tail === 0) {
      await exclusively(this.#parts, start, end, () => zeroizer.zeroize(start, bytes, flags))
      return
    }
    // The rest of the cluster becomes zero as well, which is right only if it reads as zero anyway.
    const isZeroBelow = (await this.#isZeroBelow(start, head)) && (await this.#isZeroBelow(end as GuestOffset, tail))
    await exclusively(this.#parts, start, end + tail, async () => {
      const run = await this.#parts.lookup.find(start, 1)
      const readsZero = run.type === 'zero-plain' || run.type === 'zero-alloc'
      if (!readsZero && !(run.type === 'unallocated' && isZeroBelow)) throw BlockError.fromErrno('ENOTSUP')
      await zeroizer.zeroize(start, head + bytes + tail, flags)
    })
  }

  /**
   * Takes whole clusters out of the mapping.
   *
   * @throws BlockError `ENOTSUP` for parts of clusters, and where the backing file would show through
   */
  async discard(offset: number, bytes: number): Promise<void> {
    const { geometry, unmapper, version, backing, length } = this.#parts
    if (version() < 3 && backing() !== undefined) throw BlockError.fromErrno('ENOTSUP')
    const end = offset + bytes
    const isWhole = offsetInCluster(geometry, offset) === 0
    if (!isWhole || (roundUpGap(geometry, end) !== 0 && end !== length())) throw BlockError.fromErrno('ENOTSUP')
    const start = offset as GuestOffset
    await exclusively(this.#parts, start, end, () => unmapper.unmap(start, bytes, { discard: 'request', full: false }))
  }

  /** What an unallocated part shows; asked before the lock is taken, since the backing file may take its time. */
  async #isZeroBelow(offset: GuestOffset, bytes: number): Promise<boolean> {
    const backing = this.#parts.backing()
    return bytes === 0 || backing === undefined || backing.isZeroFast(offset, bytes)
  }
}

/** Bytes from `offset` to the end of its cluster; 0 where it is cluster aligned. */
function roundUpGap(geometry: Geometry, offset: number): number {
  const rest = offsetInCluster(geometry, offset)
  return rest === 0 ? 0 : geometry.clusterSize - rest
}
