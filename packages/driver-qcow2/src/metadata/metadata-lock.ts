/** The one lock of an image: who changes or reads its tables holds it, and guest I/O runs without it. */

/**
 * A fair mutex whose uncontended use costs no promise.
 *
 * Taken in `data/` and above, and held on entry everywhere to the left. It is not reentrant.
 */
export class MetadataLock {
  #held = false
  readonly #waiters: (() => void)[] = []

  /** Whether somebody holds the lock; for assertions. */
  get held(): boolean {
    return this.#held
  }

  /** Takes the lock; `undefined` where it was free, so that the common case needs no `await`. */
  acquire(): Promise<void> | undefined {
    if (!this.#held) {
      this.#held = true
      return undefined
    }
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** Hands the lock to whoever has waited longest. */
  release(): void {
    const next = this.#waiters.shift()
    if (next === undefined) this.#held = false
    else next()
  }

  /** Runs `work` with the lock held, and gives its result. */
  async run<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const wait = this.acquire()
    if (wait !== undefined) await wait
    try {
      return await work()
    } finally {
      this.release()
    }
  }
}
