/** Lets workers write in the order in which they took their work. */

/** Numbered turns, from 0 on; each is waited for once and ends once. */
export class Turns {
  readonly #ordered: boolean
  readonly #waiting = new Map<number, () => void>()
  #next = 0
  #abandoned = false

  /** @param ordered - false: everybody's turn is always now */
  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  /** Resolves when turns below `turn` have ended, or all are abandoned. */
  async wait(turn: number): Promise<void> {
    if (!this.#ordered || this.#abandoned || turn === this.#next) return
    await new Promise<void>((resolve) => this.#waiting.set(turn, resolve))
  }

  /** Ends `turn` and starts the next. */
  done(turn: number): void {
    if (!this.#ordered) return
    this.#next = turn + 1
    const wake = this.#waiting.get(this.#next)
    this.#waiting.delete(this.#next)
    wake?.()
  }

  /** Wakes everybody: there will be no more turns. */
  abandon(): void {
    this.#abandoned = true
    for (const wake of this.#waiting.values()) wake()
    this.#waiting.clear()
  }
}
