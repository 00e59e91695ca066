/** Slows requests down to so many bytes per second. */

/** Longest delay that `setTimeout` can count; a longer one would fire at once. */
const timeoutMax = 2 ** 31 - 1

/** A clock, and how to wait by it; times in milliseconds. */
export interface RateClock {
  /** Never goes back. */
  now(): number
  /** @throws `signal.reason` where the waiting is to end */
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void>
}

/** The real one. */
export const realClock: RateClock = { now: () => performance.now(), pause }

/** A limit: the first request passes at once, each later one when those before it are paid for. */
export class RateLimit {
  readonly #bytesPerSecond: number
  readonly #clock: RateClock
  /** When the next request may pass, in milliseconds of the monotonic clock. */
  #free = 0

  /** @param bytesPerSecond - 0: no limit */
  constructor(bytesPerSecond: number, clock: RateClock = realClock) {
    this.#bytesPerSecond = bytesPerSecond
    this.#clock = clock
  }

  /** Resolves when a request of `bytes` may start. @throws `signal.reason` where it is not to start any more */
  async pass(bytes: number, signal?: AbortSignal | undefined): Promise<void> {
    if (this.#bytesPerSecond === 0) return
    const now = this.#clock.now()
    const start = Math.max(now, this.#free)
    this.#free = start + (1000 * bytes) / this.#bytesPerSecond
    if (start > now) await this.#clock.pause(start - now, signal)
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      },
      Math.min(milliseconds, timeoutMax),
    )
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
