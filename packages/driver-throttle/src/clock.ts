/** Where a throttle group has its time from. */

/** A source of time; tests bring one that stands still. */
export interface Clock {
  /** Milliseconds since any fixed moment; never goes back. */
  now(): number
  /** Calls `wake` once, no sooner than after `delay` milliseconds. @returns what calls it off */
  setTimer(delay: number, wake: () => void): () => void
}

/** Longest delay that the host's timers count; a group that is woken too early waits again. */
const delayMax = 2 ** 31 - 1

/** The host's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (delay, wake) => {
    // The host cuts fractions off and would wake us just before the time has come.
    const timer = setTimeout(wake, Math.min(Math.ceil(delay), delayMax))
    return () => clearTimeout(timer)
  },
}
