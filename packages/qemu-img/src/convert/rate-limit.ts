/** Slows requests down to so many bytes per second. */

/** A limit: the first request passes at once, each later one when those before it are paid for. */
export class RateLimit {
  readonly #bytesPerSecond: number
  /** When the next request may pass, in milliseconds of the monotonic clock. */
  #free = 0

  /** @param bytesPerSecond - 0: no limit */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Resolves when a request of `bytes` may start. @throws `signal.reason` where it is not to start any more */
  async pass(bytes: number, signal?: AbortSignal | undefined): Promise<void> {
    if (this.#bytesPerSecond === 0) return
    const now = performance.now()
    const start = Math.max(now, this.#free)
    this.#free = start + (1000 * bytes) / this.#bytesPerSecond
    if (start > now) await pause(start - now, signal)
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
