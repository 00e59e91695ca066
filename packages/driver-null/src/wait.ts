/** Waiting as long as a slow disk would take. */

/** Timers count in 31 bits; a longer wait is several. */
const timerMax = 2 ** 31 - 1

/**
 * Resolves after `milliseconds`.
 *
 * @param milliseconds - whole, above 0; any length
 */
export async function wait(milliseconds: number): Promise<void> {
  for (let rest = milliseconds; rest > 0; rest -= timerMax) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(rest, timerMax)))
  }
}

/** Resolves in a later turn of the event loop, as soon as the host has one. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Browsers only have timers, whose shortest wait is a few milliseconds.
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
