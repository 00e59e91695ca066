/** How far an amendment has come. */

import type { JobOptions } from '@blocklayer/block-core/driver'

/** Counts units of work: tables looked through, blocks written. What lies ahead becomes known step by step. */
export class AmendProgress {
  readonly #job: JobOptions
  #current = 0
  #total = 0

  constructor(job: JobOptions) {
    this.#job = job
  }

  /** So much more is to be done. */
  expect(units: number): void {
    this.#total += units
  }

  /**
   * One unit is done.
   *
   * @throws `signal.reason` where the work is to stop
   */
  step(): void {
    this.#current++
    this.#job.onProgress?.({ current: this.#current, total: Math.max(this.#current, this.#total) })
    this.#job.signal?.throwIfAborted()
  }
}
