/** Time as jobs see it; injected, so that tests need not wait for it. */

/** A clock. */
export interface JobClock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number
  /** Calls back once after `milliseconds`. @returns what takes it back */
  after(milliseconds: number, callback: () => void): () => void
}

/** Longest delay that `setTimeout` can count; a longer one would fire at once. */
const timeoutMax = 2 ** 31 - 1

/** The real clock. */
export const systemClock: JobClock = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(milliseconds, timeoutMax))
    return () => clearTimeout(timer)
  },
}
