/** Lets the event loop turn during bulk work, so that signals, timers and other requests are seen. */

/** Longest time in milliseconds that bulk work keeps others waiting. */
const breathAfter = 50

/** Turns the event loop now and then: over a driver that works synchronously a copy would otherwise never let go. */
export class Breather {
  #last = performance.now()

  /**
   * Turns the event loop once if the last turn was long ago.
   *
   * @throws `signal.reason` where the work is to stop
   */
  async breathe(signal?: AbortSignal | undefined): Promise<void> {
    if (performance.now() - this.#last >= breathAfter) {
      await eventLoopTurn()
      this.#last = performance.now()
    }
    signal?.throwIfAborted()
  }
}

/** A timer would cost a millisecond each time where there is something better: in Node. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
