/** Divides reads between the thread that asks and the pool, so that several processors copy at the same time. */

import { availableParallelism } from 'node:os'

/** On fewer processors, handing reads over and back costs what the other one's copying saves. */
const processorsMin = 3

/** Up to here the way to the pool costs as much as the copying that it would save. */
const alwaysHere = 16 * 1024

/** Reads that are on their way to the pool at most: meanwhile the asking thread does others itself. */
const pooledMax = 8

/** Most reads that are done here before one is sent to the pool, to see whether others come meanwhile. */
const hereMax = 64

/**
 * Where reads of middle length are done. Who reads one after the other is served quickest here, without a way there and
 * back; who has several requests in flight is served best by both.
 */
export class ReadSpread {
  /** After a read on the pool during which no other one came, so many are done here; twice as many each time. */
  #alone = 0
  #left = 0
  readonly #pays: boolean

  /** @param processors - how many this process may use */
  constructor(processors: number = availableParallelism()) {
    this.#pays = processors >= processorsMin
  }

  /**
   * Whether a read of `bytes` bytes is to go to the pool.
   *
   * @param inFlight - requests of the same file that are there now
   */
  goesToPool(bytes: number, inFlight: number): boolean {
    if (!this.#pays || bytes <= alwaysHere || inFlight >= pooledMax) return false
    if (inFlight > 0) {
      this.#alone = 0
      this.#left = 0
      return true
    }
    if (this.#left > 0) {
      this.#left--
      return false
    }
    this.#alone = Math.min(hereMax, 2 * this.#alone + 1)
    this.#left = this.#alone
    return true
  }
}
