/** The two ways a job waits: parked until it is woken, and watched until something has come true. */

import type { JobClock } from './clock.ts'

/** One sleeper that others can wake. */
export class Parking {
  readonly #clock: JobClock
  #wake: (() => void) | undefined

  constructor(clock: JobClock) {
    this.#clock = clock
  }

  get isOccupied(): boolean {
    return this.#wake !== undefined
  }

  /** Resolves at `wake`, or after so many milliseconds. */
  park(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = milliseconds === undefined ? undefined : this.#clock.after(milliseconds, () => this.wake())
      this.#wake = () => {
        this.#wake = undefined
        stop?.()
        resolve()
      }
    })
  }

  /** Does nothing where nobody sleeps. */
  wake(): void {
    this.#wake?.()
  }
}

/** Many who wait for a condition of their own. */
export class Watchers {
  #watchers: (() => void)[] = []

  /** Resolves once `condition` holds; it is asked now and after every `notify`. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#watchers.push(resolve))
  }

  notify(): void {
    for (const watcher of this.#watchers.splice(0)) watcher()
  }
}
