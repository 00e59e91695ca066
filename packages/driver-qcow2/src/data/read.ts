/** Guest reads: each uniform run from where its bytes are. */

import type { Child } from '@blocklayer/block-core/driver'
import type { GuestOffset } from '../format/geometry.ts'
import type { Lookup, Run } from '../mapping/lookup.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import type { HostReads } from '../refcount/host-reads.ts'
import type { CompressedReader } from './compressed.ts'
import { TaskPool } from './task-pool.ts'

/** What reads are made of. */
export interface ReaderOptions {
  readonly file: Child
  readonly data: DataFile
  readonly lock: MetadataLock
  readonly lookup: Lookup
  readonly reads: HostReads
  readonly compressed: CompressedReader
  /** Supplies what is not allocated here. */
  backing(): Child | undefined
}

/**
 * Reads guest bytes.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_preadv_part
 */
export class Reader {
  readonly #parts: ReaderOptions

  constructor(options: ReaderOptions) {
    this.#parts = options
  }

  /**
   * Fills `into` with the guest bytes at `offset`. The metadata lock is taken for look-ups only; writers that copy old
   * content read through here as well.
   */
  async read(offset: number, into: Uint8Array): Promise<void> {
    let pool: TaskPool | undefined
    try {
      for (let done = 0; done < into.length && pool?.failed !== true; ) {
        const at = (offset + done) as GuestOffset
        const run = await this.#find(at, into.length - done)
        const part = run.bytes === into.length ? into : into.subarray(done, done + run.bytes)
        done += run.bytes
        if (this.#readsZero(run)) {
          part.fill(0)
        } else if (pool === undefined && done === into.length) {
          await this.#readRun(run, at, part)
        } else {
          pool ??= new TaskPool()
          await pool.start(() => this.#readRun(run, at, part))
        }
      }
    } finally {
      // Parts that are under way still write into the caller's buffer: nobody may be told before they have ended.
      await pool?.finish()
    }
  }

  async #find(at: GuestOffset, bytes: number): Promise<Run> {
    const { lock, lookup, reads } = this.#parts
    const wait = lock.acquire()
    if (wait !== undefined) await wait
    try {
      const run = await lookup.find(at, bytes)
      // Under the lock still: from now on the place must keep its content.
      if (isInFile(run)) reads.begin()
      return run
    } finally {
      lock.release()
    }
  }

  #readsZero(run: Run): boolean {
    if (run.type === 'unallocated' || run.type === 'unallocated-alloc') return this.#parts.backing() === undefined
    return run.type === 'zero-plain' || run.type === 'zero-alloc'
  }

  async #readRun(run: Run, offset: GuestOffset, into: Uint8Array): Promise<void> {
    const { file, backing, reads } = this.#parts
    if (!isInFile(run)) {
      await file.debugEvent('read_backing_aio')
      await backing()?.read(offset, into)
      return
    }
    try {
      await this.#readFile(run, offset, into)
    } finally {
      reads.end()
    }
  }

  async #readFile(run: Run, offset: GuestOffset, into: Uint8Array): Promise<void> {
    const { file, data, compressed } = this.#parts
    if (run.type === 'compressed') {
      await compressed.read(run, offset, into)
      return
    }
    await file.debugEvent('read_aio')
    await data.file.read(run.hostOffset, into)
  }
}

/** Whether the run has bytes in the image's files. */
function isInFile({ type }: Run): boolean {
  return type === 'normal' || type === 'compressed'
}
