/** One limit as a leaky bucket: requests fill it, time empties it, and a request waits while it is over-full. */

import type { BucketLimits } from './limits.ts'

/** Without bursts, this much of a second may come at once. */
const slackSeconds = 0.1

/**
 * A bucket. A request is admitted first and counted after, so that one which is larger than the bucket is only late,
 * never stuck.
 *
 * @see QEMU 7.2 docs/throttle.txt, "The throttling algorithm"
 */
export class LeakyBucket {
  readonly #limits: BucketLimits
  #level = 0
  /** How full a second bucket is, that leaks at the burst rate: it keeps long bursts from exceeding that. */
  #burstLevel = 0

  constructor(limits: BucketLimits) {
    this.#limits = limits
  }

  /** Lets time pass. */
  leak(seconds: number): void {
    this.#level = Math.max(0, this.#level - this.#limits.average * seconds)
    this.#burstLevel = Math.max(0, this.#burstLevel - this.#limits.burst * seconds)
  }

  /** Counts bytes or requests that were admitted. */
  fill(units: number): void {
    if (this.#limits.average === 0) return
    this.#level += units
    if (this.#limits.burstSeconds > 1) this.#burstLevel += units
  }

  /** Seconds until the next request may pass; 0: now. */
  get delay(): number {
    const { average, burst, burstSeconds } = this.#limits
    if (average === 0) return 0
    const capacity = burst === 0 ? average * slackSeconds : burst * burstSeconds
    const overflow = this.#level - capacity
    if (overflow > 0) return overflow / average
    if (burstSeconds === 1) return 0
    return Math.max(0, this.#burstLevel - burst * slackSeconds) / burst
  }
}
