/** A clock that goes only when a test says so. */
import type { JobClock } from '../../src/index.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Lets everything that does not wait for the clock run to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export class ManualClock implements JobClock {
  #now = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#now
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many sleepers there are. */
  get pending(): number {
    return this.#timers.size
  }

  /** Milliseconds until the first sleeper wakes; `undefined` where nobody sleeps. */
  get next(): number | undefined {
    const [first] = [...this.#timers].sort((a, b) => a.at - b.at)
    return first === undefined ? undefined : first.at - this.#now
  }

  /** Goes on by so many milliseconds; whoever wakes runs until it waits again. */
  async advance(milliseconds: number): Promise<void> {
    await settle()
    const end = this.#now + milliseconds
    for (;;) {
      const [first] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (first === undefined || first.at > end) break
      this.#timers.delete(first)
      this.#now = first.at
      first.callback()
      await settle()
    }
    this.#now = end
    await settle()
  }
}
