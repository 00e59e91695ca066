/** Tells somebody once when a node is written beyond an offset, so that thin storage can be grown in time. */

/** What is told; the fields of the reference's `BLOCK_WRITE_THRESHOLD`. */
export interface WriteThresholdEvent {
  readonly nodeName: string
  /** Bytes between the threshold and the end of the write. */
  readonly amountExceeded: number
  readonly writeThreshold: number
}

/** One node's threshold; the first write beyond it switches it off. */
export class WriteThreshold {
  #bytes = 0
  #listener: (event: WriteThresholdEvent) => void = () => {}

  /** Bytes; 0: none. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param bytes - 0 switches it off */
  set(bytes: number, listener: (event: WriteThresholdEvent) => void): void {
    this.#bytes = bytes
    this.#listener = listener
  }

  /** A write that ends at `end` is about to begin. */
  check(nodeName: string, end: number): void {
    const threshold = this.#bytes
    if (threshold === 0 || end <= threshold) return
    this.#bytes = 0
    this.#listener({ nodeName, amountExceeded: end - threshold, writeThreshold: threshold })
  }
}
