/** What changes a slab image: data, zeroes, discards, and its length. */

import {
  AsyncMutex,
  alignUp,
  BlockError,
  ceilDiv,
  type Child,
  isAligned,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import type { ClusterTable } from './cluster-table.ts'
import { encodeHeader, type SlabHeader } from './format.ts'

/** Writes go straight into clusters that have a place, and allocate those that have none. */
export class SlabWriter implements WriteSupport {
  readonly zeroFlags: NonNullable<WriteSupport['zeroFlags']> = { mayUnmap: true, noFallback: true }
  readonly #file: Child
  readonly #table: ClusterTable
  /** Held while a cluster comes to its place, while the table is stored, and while the length changes. */
  readonly #lock: AsyncMutex = new AsyncMutex()
  #header: SlabHeader

  constructor(file: Child, header: SlabHeader, table: ClusterTable) {
    this.#file = file
    this.#header = header
    this.#table = table
  }

  /** Guest bytes, now. */
  get size(): number {
    return this.#header.size
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    const { clusterBytes } = this.#header
    for (let done = 0; done < data.length; ) {
      const run = this.#table.runAt(offset + done, data.length - done)
      // A cluster without a place gets its own; those that have one are written together.
      const room = clusterBytes - ((offset + done) % clusterBytes)
      const bytes = run.fileOffset === undefined ? Math.min(run.bytes, room) : run.bytes
      const piece = data.subarray(done, done + bytes)
      if (run.fileOffset === undefined) await this.#lock.run(() => this.#allocate(offset + done, piece))
      else await this.#file.write(run.fileOffset, piece)
      done += bytes
    }
  }

  /** @param data - lies within one cluster */
  async #allocate(offset: number, data: Uint8Array): Promise<void> {
    // Whoever had the lock before may have been writing into the same cluster.
    const { fileOffset: place } = this.#table.runAt(offset, data.length)
    if (place !== undefined) return this.#file.write(place, data)
    const { clusterBytes } = this.#header
    const { entry, fileOffset } = this.#table.allocate()
    // The whole cluster: nobody knows what lies there, and the guest must see zeroes around its data.
    const cluster = new Uint8Array(clusterBytes)
    cluster.set(data, offset % clusterBytes)
    await this.#file.write(fileOffset, cluster)
    // Only now: until it is linked, a failed write has changed nothing.
    this.#table.link(offset, entry)
  }

  async writeZeroes(offset: number, bytes: number, { mayUnmap }: { readonly mayUnmap: boolean }): Promise<void> {
    if (!this.#table.hasData(offset, bytes)) return
    // The core then writes zeroes as data.
    if (!mayUnmap || !this.#isWhole(offset, bytes)) throw BlockError.fromErrno('ENOTSUP')
    this.#table.unlink(offset, bytes)
  }

  async discard(offset: number, bytes: number): Promise<void> {
    // The core then leaves the piece as it is.
    if (!this.#isWhole(offset, bytes)) throw BlockError.fromErrno('ENOTSUP')
    this.#table.unlink(offset, bytes)
  }

  #isWhole(offset: number, bytes: number): boolean {
    const { clusterBytes, size } = this.#header
    return isAligned(offset, clusterBytes) && (isAligned(bytes, clusterBytes) || offset + bytes === size)
  }

  truncate(length: number): Promise<void> {
    return this.#lock.run(() => (length < this.size ? this.#shrink(length) : this.#grow(length)))
  }

  async #shrink(length: number): Promise<void> {
    const end = alignUp(length, this.#header.clusterBytes)
    if (end < this.size) this.#table.unlink(end, this.size - end)
    await this.#table.store(this.#file)
    await this.#setSize(length)
  }

  async #grow(length: number): Promise<void> {
    const { size, clusterBytes, capacity } = this.#header
    if (ceilDiv(length, clusterBytes) > capacity) {
      throw new BlockError('ENOTSUP', `This slab image can grow to ${capacity * clusterBytes} bytes, no further`)
    }
    // Nothing that was cut off earlier may come back: neither the rest of the last cluster, nor entries in the file.
    const rest = Math.min(length, alignUp(size, clusterBytes)) - size
    const { fileOffset } = this.#table.runAt(size, 1)
    if (rest > 0 && fileOffset !== undefined) await this.#file.writeZeroes(fileOffset, rest)
    if (length > size) this.#table.touch(size, length - size)
    await this.#table.store(this.#file)
    // The new length shows what is there: it must not be on the disk before.
    await this.#file.flush()
    await this.#setSize(length)
  }

  async #setSize(size: number): Promise<void> {
    const header = { ...this.#header, size }
    // One sector: a power cut leaves the old header or the new one.
    await this.#file.write(0, encodeHeader(header).subarray(0, 512))
    this.#header = header
  }

  /** Writes the table where it has changed. */
  flushTable(): Promise<void> {
    return this.#lock.run(() => this.#table.store(this.#file))
  }
}
