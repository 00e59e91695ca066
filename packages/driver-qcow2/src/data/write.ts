/** Guest writes: data first, then the tables that make it visible. */

import type { Child } from '@blocklayer/block-core/driver'
import type { GuestOffset } from '../format/geometry.ts'
import type { Linker } from '../mapping/link.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { Allocation } from './allocation.ts'
import type { CopyOnWrite } from './cow.ts'
import type { HostRange, HostRanges } from './host-range.ts'
import { TaskPool } from './task-pool.ts'

/** What writes are made of. */
export interface WriterOptions {
  readonly file: Child
  readonly data: DataFile
  readonly lock: MetadataLock
  readonly hostRanges: HostRanges
  readonly cow: CopyOnWrite
  readonly linker: Linker
  readonly l2Cache: TableCache
}

/**
 * Writes guest bytes.
 *
 * What a crash can leave behind: refcounts and data are durable before the L2 entries that need them, so that it leaks
 * clusters at most.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_pwritev_part, qcow2_co_pwritev_task
 */
export class Writer {
  readonly #parts: WriterOptions

  constructor(options: WriterOptions) {
    this.#parts = options
  }

  /** Writes `data` at guest offset `offset`. */
  async write(offset: number, data: Uint8Array): Promise<void> {
    const { hostRanges } = this.#parts
    let pool: TaskPool | undefined
    try {
      for (let done = 0; done < data.length && pool?.failed !== true; ) {
        const at = (offset + done) as GuestOffset
        const range = await hostRanges.take(at, data.length - done)
        const part = range.bytes === data.length ? data : data.subarray(done, done + range.bytes)
        done += range.bytes
        if (pool === undefined && done === data.length) {
          await this.#run(range, at, part)
        } else {
          pool ??= new TaskPool()
          await pool.start(() => this.#run(range, at, part))
        }
      }
    } finally {
      await pool?.finish()
    }
  }

  /** Data and copies without the lock, links with it; on failure nothing of the range stays allocated. */
  async #run(range: HostRange, offset: GuestOffset, data: Uint8Array): Promise<void> {
    const { hostRanges, lock } = this.#parts
    // Those before this number are linked: they belong to the image, whatever happens to the others.
    let linked = 0
    try {
      const copied = await this.#writeData(range, offset, data)
      if (range.allocations.length > 0) {
        await lock.run(async () => {
          if (copied) this.#parts.l2Cache.dependOnFlush()
          for (const allocation of range.allocations) {
            await this.#parts.linker.link(allocation)
            linked++
          }
        })
      }
    } catch (error) {
      await lock.run(() => hostRanges.abort(range.allocations.slice(linked)))
      throw error
    } finally {
      hostRanges.finish(range)
    }
  }

  /**
   * Writes the data and what must be copied around it.
   *
   * @returns whether something was copied: it must be durable before the old place of it is forgotten
   */
  async #writeData(range: HostRange, offset: GuestOffset, data: Uint8Array): Promise<boolean> {
    const { cow, file, data: target } = this.#parts
    const toCopy: Allocation[] = []
    for (const allocation of range.allocations) {
      if (allocation.head.bytes === 0 && allocation.tail.bytes === 0) continue
      if (!(await cow.zeroInstead(allocation))) toCopy.push(allocation)
    }
    const only = toCopy.length === 1 ? toCopy[0] : undefined
    if (only !== undefined && covers(only, offset, data.length)) {
      await cow.writeMerged(only, data)
      return true
    }
    await file.debugEvent('write_aio')
    await target.file.write(range.hostOffset, data)
    for (const allocation of toCopy) await cow.writeAround(allocation)
    return toCopy.length > 0
  }
}

/** Whether the data reaches from the head to the tail of the allocation. */
function covers({ guestOffset, head, tail }: Allocation, offset: GuestOffset, bytes: number): boolean {
  return guestOffset + head.start + head.bytes === offset && guestOffset + tail.start === offset + bytes
}
