/** Guest reads that know where their bytes lie in the file, and have not got them yet. */

/**
 * Counts reads between their look-up and their end. A cluster that is freed in between must keep its content: the read
 * would else give what the next owner has written there.
 */
export class HostReads {
  #count = 0
  #waiters: (() => void)[] = []

  /** Whether some read is under way. */
  get active(): boolean {
    return this.#count > 0
  }

  /** A read has been given its place. Called with the metadata lock held, as part of the look-up. */
  begin(): void {
    this.#count++
  }

  /** Its bytes have arrived, or never will. */
  end(): void {
    this.#count--
    if (this.#count > 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** Resolves when no read is under way. While the metadata lock is held none begins, so that this is soon. */
  async idle(): Promise<void> {
    if (this.#count === 0) return
    await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }
}
