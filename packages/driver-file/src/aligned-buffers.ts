/** Buffers that begin at a page boundary in memory, for direct I/O from and to buffers that do not. */

/** Every device is content with it. */
export const pageBytes = 4096

/** Bytes of one window: long enough that copying costs less than the calls. */
const windowBytes = 0x10_0000

/** How many windows there are at most; further requests wait. */
const windowsMax = 8

/** Tells how far a buffer's first byte lies behind a page boundary. */
export type PageOffset = (buffer: Uint8Array) => number

/** A new buffer of `bytes` bytes that begins at a page boundary. */
export function allocAligned(bytes: number, pageOffset: PageOffset): Uint8Array {
  // Buffers of this length live outside the JavaScript heap and never move.
  const raw = new Uint8Array(bytes + pageBytes)
  const shift = (pageBytes - pageOffset(raw)) % pageBytes
  return raw.subarray(shift, shift + bytes)
}

/** A bounded number of aligned windows, made when they are first needed and kept. */
export class AlignedBuffers {
  readonly #pageOffset: PageOffset
  readonly #free: Uint8Array[] = []
  readonly #waiting: ((window: Uint8Array) => void)[] = []
  #made = 0

  constructor(pageOffset: PageOffset) {
    this.#pageOffset = pageOffset
  }

  /** Runs `work` with a window that is nobody else's until it ends; waits for one where all are in use. */
  async with<T>(work: (window: Uint8Array) => Promise<T>): Promise<T> {
    const window = this.#take() ?? (await new Promise<Uint8Array>((resolve) => this.#waiting.push(resolve)))
    try {
      return await work(window)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free.push(window)
      else next(window)
    }
  }

  #take(): Uint8Array | undefined {
    const window = this.#free.pop()
    if (window !== undefined || this.#made === windowsMax) return window
    this.#made++
    return allocAligned(windowBytes, this.#pageOffset)
  }
}
