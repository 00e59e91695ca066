/** A lock that is held across `await`s; whoever asks first gets it first. */

/** Mutual exclusion for asynchronous code, first come first served. Not reentrant: locking twice waits for ever. */
export class AsyncMutex {
  /** Resolvers of those who wait, oldest first. */
  readonly #waiting: (() => void)[] = []
  #locked = false

  /** Whether somebody holds the lock now. */
  get locked(): boolean {
    return this.#locked
  }

  /**
   * Waits for the lock and gives the function that releases it.
   *
   * @returns the release function; calling it again does nothing
   */
  async lock(): Promise<() => void> {
    if (this.#locked) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#locked = true
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#handOver()
    }
  }

  /** Runs `task` under the lock and releases it however the task ends. */
  async run<T>(task: () => Promise<T> | T): Promise<T> {
    const release = await this.lock()
    try {
      return await task()
    } finally {
      release()
    }
  }

  /** The lock goes to the oldest waiter without being free in between, so that no newcomer can overtake. */
  #handOver(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#locked = false
    else next()
  }
}
