/** How fast work goes and when it will be done, from percentages and the time they came at. */

/** What is known of work that goes on. */
export interface Rate {
  /** Since the work began. */
  readonly seconds: number
  /** Absent until there is something to go by. */
  readonly secondsLeft: number | undefined
  /** Absent where the work is not counted in bytes. */
  readonly bytesPerSecond: number | undefined
}

/** Measures one piece of work, from when it is made. */
export class WorkRate {
  readonly #now: () => number
  readonly #began: number

  /** @param now - milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now
    this.#began = now()
  }

  /**
   * The rate on average, which is steadier than the rate of the last moment.
   *
   * @param percent - 0 to 100
   * @param bytes - done by now
   */
  at(percent: number, bytes: number | undefined): Rate {
    const seconds = (this.#now() - this.#began) / 1000
    const isKnown = seconds > 0 && percent > 0
    return {
      seconds,
      secondsLeft: isKnown ? (seconds * (100 - percent)) / percent : undefined,
      bytesPerSecond: bytes === undefined || seconds === 0 ? undefined : bytes / seconds,
    }
  }
}
