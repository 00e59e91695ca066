/** How much memory all requests of a graph together may hold in buffers of their own. */

/** Bytes of bounce buffers that one graph keeps at a time, unless it is told otherwise. */
export const bounceBytesDefault: number = 64 * 1024 * 1024

interface Waiter {
  readonly owner: object
  readonly bytes: number
  readonly grant: () => void
}

/**
 * A budget of bytes. Who asks for more than is left waits, in the order of asking.
 *
 * A request may hold bytes while it waits for requests of its own on nodes below, which need some as well. So that
 * this cannot end in everybody waiting, an owner (a node) that holds nothing is never kept waiting: the lowest node with
 * waiters always has one request that goes on. Each owner can thus exceed the budget by one request, and no request may
 * ask twice.
 */
export class BounceBudget {
  readonly bytesMax: number
  #used = 0
  #peak = 0
  /** How many requests hold bytes, by owner. */
  readonly #holders = new Map<object, number>()
  readonly #waiters: Waiter[] = []

  constructor(bytesMax: number = bounceBytesDefault) {
    this.bytesMax = bytesMax
  }

  /** Bytes held now. */
  get used(): number {
    return this.#used
  }

  /** The most bytes that were ever held at a time. */
  get peak(): number {
    return this.#peak
  }

  /** Takes bytes for a request of `owner`; `undefined`: it has them, else it waits. Must be given back. */
  take(owner: object, bytes: number): Promise<void> | undefined {
    if (!this.#holders.has(owner) || (this.#waiters.length === 0 && this.#used + bytes <= this.bytesMax)) {
      this.#hold(owner, bytes)
      return undefined
    }
    return new Promise<void>((grant) => this.#waiters.push({ owner, bytes, grant }))
  }

  /** Gives back what `take` gave. */
  give(owner: object, bytes: number): void {
    this.#used -= bytes
    const holders = this.#holders.get(owner)! - 1
    if (holders > 0) this.#holders.set(owner, holders)
    else this.#holders.delete(owner)
    if (this.#waiters.length === 0) return
    if (holders === 0) this.#admit(this.#waiters.findIndex((waiter) => waiter.owner === owner))
    while (this.#waiters.length > 0 && this.#used + this.#waiters[0]!.bytes <= this.bytesMax) this.#admit(0)
  }

  #admit(index: number): void {
    const waiter = this.#waiters[index]
    if (waiter === undefined) return
    this.#waiters.splice(index, 1)
    this.#hold(waiter.owner, waiter.bytes)
    waiter.grant()
  }

  #hold(owner: object, bytes: number): void {
    this.#used += bytes
    this.#peak = Math.max(this.#peak, this.#used)
    this.#holders.set(owner, (this.#holders.get(owner) ?? 0) + 1)
  }
}

/** Runs `section` while `bytes` of the budget are held; nothing is taken for 0 bytes. */
export async function withBounce(
  budget: BounceBudget,
  owner: object,
  bytes: number,
  section: () => Promise<void>,
): Promise<void> {
  if (bytes === 0) return section()
  const wait = budget.take(owner, bytes)
  if (wait !== undefined) await wait
  try {
    await section()
  } finally {
    budget.give(owner, bytes)
  }
}
