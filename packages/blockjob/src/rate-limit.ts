/** Spreads a job's work over time, so that it takes no more than so many bytes a second. */

import type { JobClock } from './clock.ts'

/** Length of one accounting period in milliseconds. */
export const sliceLength = 100

/**
 * A token bucket with slices of 100 ms. Work that has been dispatched is accounted for; one piece of work may exceed
 * the slice's quota by far, the next one then waits for as many slices as it used up.
 *
 * @see QEMU 7.2 include/qemu/ratelimit.h
 */
export class RateLimit {
  readonly #clock: JobClock
  #quota = 0
  #sliceStart = Number.NEGATIVE_INFINITY
  #sliceEnd = Number.NEGATIVE_INFINITY
  #dispatched = 0

  constructor(clock: JobClock) {
    this.#clock = clock
  }

  /** @param bytesPerSecond - 0: no limit */
  setSpeed(bytesPerSecond: number): void {
    this.#quota = bytesPerSecond === 0 ? 0 : Math.max(bytesPerSecond / (1000 / sliceLength), 1)
  }

  /** Accounts for `bytes` that were dispatched. @returns milliseconds to wait before the next dispatch */
  delayAfter(bytes: number): number {
    if (this.#quota === 0) return 0
    const now = this.#clock.now()
    if (this.#sliceEnd < now) {
      this.#sliceStart = now
      this.#sliceEnd = now + sliceLength
      this.#dispatched = 0
    }
    this.#dispatched += bytes
    if (this.#dispatched < this.#quota) return 0
    this.#sliceEnd = this.#sliceStart + (this.#dispatched / this.#quota) * sliceLength
    return Math.max(0, this.#sliceEnd - now)
  }
}
