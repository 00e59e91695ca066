/** Copy-on-write: what lies around the data in a new cluster moves along with it. */

import { type Child, toBlockError } from '@blocklayer/block-core/driver'
import type { HostOffset } from '../format/geometry.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { OverlapCheck } from '../metadata/overlap-check.ts'
import type { Allocation, CowRegion } from './allocation.ts'
import type { Reader } from './read.ts'

/** Longest data between head and tail that is read along with them, for the sake of one read instead of two. */
const gapMax = 16384

/** What copy-on-write is made of. */
export interface CopyOnWriteOptions {
  readonly file: Child
  readonly data: DataFile
  readonly reader: Reader
  readonly overlap: OverlapCheck
  backing(): Child | undefined
}

/**
 * Fills the parts of new clusters that no data is written to. Works without the metadata lock: the old mapping stays
 * in force until the allocation is linked, and the in-flight list keeps other writers away.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: perform_cow; block/qcow2.c: handle_alloc_space
 */
export class CopyOnWrite {
  readonly #parts: CopyOnWriteOptions
  /** Cleared when the file refuses to zero without writing: asking again would only cost time. */
  #fileCanZero = true

  constructor(options: CopyOnWriteOptions) {
    this.#parts = options
  }

  /**
   * Zeroes the whole allocation in one request, where all that would have to be copied is known to read as zero.
   *
   * @returns whether it did: then nothing is left to copy, and the data may be written
   */
  async zeroInstead(allocation: Allocation): Promise<boolean> {
    const { head, tail, clusterCount, filled } = allocation
    if (!this.#fileCanZero || clusterCount === 0 || allocation.overwrites) return false
    if (!(await this.#isKnownZero(allocation, head)) || !(await this.#isKnownZero(allocation, tail))) return false
    const { file, data } = this.#parts
    const place = (allocation.hostOffset + filled.start) as HostOffset
    const bytes = filled.end - filled.start
    await this.#check(place, bytes)
    await file.debugEvent('cluster_alloc_space')
    try {
      await data.file.writeZeroes(place, bytes, { noFallback: true })
    } catch (error) {
      const { code } = toBlockError(error)
      if (code !== 'ENOTSUP' && code !== 'EAGAIN') throw error
      this.#fileCanZero = code !== 'ENOTSUP'
      return false
    }
    return true
  }

  async #isKnownZero({ guestOffset }: Allocation, region: CowRegion): Promise<boolean> {
    if (region.bytes === 0) return true
    if (region.oldType === 'zero-plain' || region.oldType === 'zero-alloc') return true
    if (region.oldType !== 'unallocated') return false
    const backing = this.#parts.backing()
    return backing === undefined || backing.isZeroFast(guestOffset + region.start, region.bytes)
  }

  /** Writes the allocation's data together with what surrounds it, in one request. */
  async writeMerged(allocation: Allocation, data: Uint8Array): Promise<void> {
    const { file, data: target } = this.#parts
    const { head, filled } = allocation
    const place = (allocation.hostOffset + filled.start) as HostOffset
    const buffer = new Uint8Array(filled.end - filled.start)
    await this.#readRegions(allocation, buffer)
    buffer.set(data, head.bytes)
    await this.#check(place, buffer.length)
    await file.debugEvent('write_aio')
    await file.debugEvent('cow_write')
    await target.file.write(place, buffer)
  }

  /** Writes only what surrounds the data of the allocation. */
  async writeAround(allocation: Allocation): Promise<void> {
    const { file, data } = this.#parts
    const { head, tail, hostOffset, filled } = allocation
    const buffer = new Uint8Array(filled.end - filled.start)
    await this.#readRegions(allocation, buffer)
    for (const { start, bytes } of [head, tail]) {
      if (bytes === 0) continue
      const place = (hostOffset + start) as HostOffset
      await this.#check(place, bytes)
      await file.debugEvent('cow_write')
      await data.file.write(place, buffer.subarray(start - filled.start, start - filled.start + bytes))
    }
  }

  /** @param buffer - for all that the allocation fills */
  async #readRegions({ head, tail, guestOffset, filled }: Allocation, buffer: Uint8Array): Promise<void> {
    const { file, reader } = this.#parts
    const readPart = async (start: number, end: number): Promise<void> => {
      await file.debugEvent('cow_read')
      await reader.read(guestOffset + start, buffer.subarray(start - filled.start, end - filled.start))
    }
    const dataStart = head.start + head.bytes
    if (head.bytes > 0 && tail.bytes > 0 && tail.start - dataStart <= gapMax) {
      await readPart(head.start, filled.end)
      return
    }
    if (head.bytes > 0) await readPart(head.start, dataStart)
    if (tail.bytes > 0) await readPart(tail.start, filled.end)
  }

  async #check(offset: HostOffset, bytes: number): Promise<void> {
    // In a file of its own, data meets no metadata.
    if (!this.#parts.data.isExternal) await this.#parts.overlap.check(offset, bytes)
  }
}
