/** Locks on ranges: for a driver that keeps several copies of one disk, whose requests must reach all in one order. */

/** How a range is held: any number of readers, or one writer. */
export type RangeHold = 'shared' | 'exclusive'

/** A range that somebody holds, or waits for. */
interface Holder {
  readonly start: number
  readonly end: number
  readonly exclusive: boolean
  /** Whom to wake when it is free again. */
  waiters: (() => void)[] | undefined
}

/**
 * Ranges of one disk, first come first served. Costs one look at the requests in flight where nothing overlaps. Not
 * reentrant.
 *
 * @example
 * const ranges = new RangeLock()
 * await ranges.run('exclusive', 0, 4096, async () => {
 *   await disk.write(0, new Uint8Array(4096))
 *   await disk.write(65536, new Uint8Array(4096))
 * })
 */
export class RangeLock {
  readonly #holders = new Set<Holder>()

  /** How many hold a range or wait for one. */
  get size(): number {
    return this.#holders.size
  }

  /**
   * Runs `task` while nobody writes to the range, nor, for `exclusive`, reads it; releases it however the task ends.
   *
   * @param offset - in bytes, like `bytes`; an empty range meets no other
   */
  async run<T>(hold: RangeHold, offset: number, bytes: number, task: () => Promise<T>): Promise<T> {
    const own: Holder = { start: offset, end: offset + bytes, exclusive: hold === 'exclusive', waiters: undefined }
    // Those who wait count like those who hold: behind them only later ones wait, so nobody waits in a circle.
    const before = [...this.#holders].filter((other) => conflict(own, other))
    this.#holders.add(own)
    try {
      if (before.length > 0) await Promise.all(before.map(released))
      return await task()
    } finally {
      this.#holders.delete(own)
      if (own.waiters !== undefined) for (const wake of own.waiters) wake()
    }
  }
}

function conflict(a: Holder, b: Holder): boolean {
  return (a.exclusive || b.exclusive) && Math.max(a.start, b.start) < Math.min(a.end, b.end)
}

function released(holder: Holder): Promise<void> {
  holder.waiters ??= []
  const { waiters } = holder
  return new Promise((resolve) => waiters.push(resolve))
}
