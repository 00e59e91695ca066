/** Lets the event loop turn during bulk work, so that signals, timers and other requests are seen. */

/** Longest time in milliseconds that bulk work keeps others waiting. */
const breathAfter = 50

/** Turns the event loop now and then: over a driver that works synchronously a copy would otherwise never let go. */
export class Breather {
  readonly #now: () => number
  #last: number

  /** @param now - milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#last = now()
  }

  /**
   * Turns the event loop once if the last turn was long ago.
   *
   * @throws `signal.reason` where the work is to stop
   */
  async breathe(signal?: AbortSignal | undefined): Promise<void> {
    if (this.#now() - this.#last >= breathAfter) {
      await eventLoopTurn()
      this.#last = this.#now()
    }
    signal?.throwIfAborted()
  }
}

/**
 * Not by a timer: where there is no `setImmediate`, a browser lets the timers of a hidden tab wait for a second, and later for
 * a minute.
 */
function eventLoopTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve))
  const { port1, port2 } = new MessageChannel()
  return new Promise<void>((resolve) => {
    port1.onmessage = () => resolve()
    port2.postMessage(undefined)
  }).finally(() => port1.close())
}
