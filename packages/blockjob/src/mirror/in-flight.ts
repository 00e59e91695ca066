/** The requests of a mirror that are under way: at most 16, each with a buffer of its own. */

/** Most requests at a time. @see QEMU 7.2 block/mirror.c: MAX_IN_FLIGHT */
export const inFlightMax = 16

/**
 * Ranges being copied. A slot is one request; its buffer is made when it is first needed and used again by the next.
 *
 * @see spec/jobs.md, section 17.1
 */
export class InFlight {
  readonly #bufferBytes: number
  readonly #buffers: (Uint8Array | undefined)[] = new Array(inFlightMax)
  /** Empty slots have an end of 0, so that they overlap nothing. */
  readonly #starts = new Float64Array(inFlightMax)
  readonly #ends = new Float64Array(inFlightMax)
  #count = 0
  #bytes = 0
  #waiters: (() => void)[] = []

  /** @param bufferBytes - longest data copy */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes
  }

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count === inFlightMax
  }

  /** Sum of all ranges. */
  get bytes(): number {
    return this.#bytes
  }

  /** Where in `[start, end)` the first range begins that is being copied; `undefined` where nothing is. */
  firstIn(start: number, end: number): number | undefined {
    let first: number | undefined
    for (let slot = 0; slot < inFlightMax; slot++) {
      if (this.#ends[slot]! <= start || this.#starts[slot]! >= end) continue
      const at = Math.max(start, this.#starts[slot]!)
      if (first === undefined || at < first) first = at
    }
    return first
  }

  /** Enters a range. Not when full. @returns its slot, which `end` wants back */
  begin(offset: number, bytes: number): number {
    const slot = this.#ends.indexOf(0)
    this.#starts[slot] = offset
    this.#ends[slot] = offset + bytes
    this.#count++
    this.#bytes += bytes
    return slot
  }

  end(slot: number): void {
    this.#count--
    this.#bytes -= this.#ends[slot]! - this.#starts[slot]!
    this.#ends[slot] = 0
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** The slot's buffer, cut to `bytes`. */
  buffer(slot: number, bytes: number): Uint8Array {
    const buffer = this.#buffers[slot] ?? new Uint8Array(this.#bufferBytes)
    this.#buffers[slot] = buffer
    return bytes === buffer.length ? buffer : buffer.subarray(0, bytes)
  }

  /** Resolves when the next request ends; at once where none is under way. */
  async one(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  /** Resolves when none is left. */
  async all(): Promise<void> {
    while (this.#count > 0) await this.one()
  }
}
