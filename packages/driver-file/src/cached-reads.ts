/** Small reads of what the kernel has in memory: done at once, which is quicker than the way to the pool and back. */

import type { Libc } from './libc.ts'

/** Up to here the way to the pool costs more than another thread's copying saves; longer copies gain by several at once. */
const bytesMax = 64 * 1024

/** Most reads that go to the pool without having been tried, after many that were not in memory. */
const pauseMax = 256

/** The reads of one descriptor. */
export class CachedReads {
  readonly #readCached: NonNullable<Libc['readCached']>
  /** After a read that was not in memory, so many are not tried; twice as many each time, since trying costs. */
  #pause = 0
  #left = 0

  private constructor(readCached: NonNullable<Libc['readCached']>) {
    this.#readCached = readCached
  }

  /** `undefined` where the system cannot say what is in memory. */
  static from(libc: Pick<Libc, 'readCached'> | undefined): CachedReads | undefined {
    return libc?.readCached === undefined ? undefined : new CachedReads(libc.readCached)
  }

  /** Fills `into` without waiting for anything, or gives false; it may be filled in part then. */
  read(fd: number, offset: number, into: Uint8Array): boolean {
    if (into.length > bytesMax || into.length === 0) return false
    if (this.#left > 0) {
      this.#left--
      return false
    }
    // Errors and ends of files are for the pool to find out about.
    if (this.#readCached(fd, into, offset) === into.length) {
      this.#pause = 0
      return true
    }
    this.#pause = Math.min(pauseMax, 2 * this.#pause + 1)
    this.#left = this.#pause
    return false
  }
}
