/** How far a job has come: work done, and work known to remain. */

import type { JobProgress } from '@blocklayer/block-core'

/**
 * Two counters that are only ever reported as a pair. `current` never shrinks; `total` may grow while a job runs.
 *
 * @see QEMU 7.2 util/qemu-progress.c, include/qemu/progress_meter.h
 */
export class ProgressMeter {
  readonly #onChange: ((progress: JobProgress) => void) | undefined
  #current = 0
  #total = 0

  /** @param onChange - called after every change, with the new pair */
  constructor(onChange?: (progress: JobProgress) => void) {
    this.#onChange = onChange
  }

  get snapshot(): JobProgress {
    return { current: this.#current, total: this.#total }
  }

  /** `bytes` more are done. */
  workDone(bytes: number): void {
    this.#set(this.#current + bytes, this.#total)
  }

  /** From here on `bytes` are left to do. */
  setRemaining(bytes: number): void {
    this.#set(this.#current, this.#current + bytes)
  }

  /** There is more to do than was known. */
  increaseRemaining(bytes: number): void {
    this.#set(this.#current, this.#total + bytes)
  }

  #set(current: number, total: number): void {
    if (current === this.#current && total === this.#total) return
    this.#current = current
    this.#total = total
    this.#onChange?.(this.snapshot)
  }
}
