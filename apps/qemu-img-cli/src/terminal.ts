/** Where text goes: the process's two outputs, the first one buffered as a C program buffers it. */

import { isTerminal, writeAll } from '@blocklayer/cli-host'

/** Two outputs, as in C: results on `out`, complaints on `err`. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Writes what `out` keeps back; absent: it keeps nothing back. */
  flush?(): void
  /** Characters in a line of `err`; `undefined` where that is no terminal. */
  errColumns?(): number | undefined
}

/** How much the C library keeps back where the output is no terminal. */
const bufferBytes = 4096

/** Text that goes on in blocks of 4 KiB. */
export class OutputBuffer {
  readonly #write: (bytes: Uint8Array) => void
  #kept: Uint8Array = new Uint8Array(0)

  /** @param write - is given all bytes, in order */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write
  }

  /** Adds text; whole blocks are written, but the last one not before the next letter. */
  add(text: string): void {
    const bytes = new TextEncoder().encode(text)
    const joined = new Uint8Array(this.#kept.length + bytes.length)
    joined.set(this.#kept)
    joined.set(bytes, this.#kept.length)
    const rest = joined.length === 0 ? 0 : ((joined.length - 1) % bufferBytes) + 1
    if (rest < joined.length) this.#write(joined.subarray(0, joined.length - rest))
    this.#kept = joined.subarray(joined.length - rest)
  }

  /** Writes all that was added. */
  flush(): void {
    const kept = this.#kept
    this.#kept = new Uint8Array(0)
    if (kept.length > 0) this.#write(kept)
  }
}

/**
 * The outputs of this process. Results are kept back where they go to a file or a pipe: scripts that join both outputs see
 * complaints before results, as they do with the reference. Writing is synchronous: the event loop may be busy with a
 * copy, and `process.stdout` costs more to load than most commands take.
 */
export function processTerminal(): Terminal & { flush(): void } {
  const buffer = new OutputBuffer((bytes) => writeAll(1, bytes))
  const isInteractive = isTerminal(1)
  return {
    out(text) {
      buffer.add(text)
      if (isInteractive) buffer.flush()
    },
    err: (text) => writeAll(2, new TextEncoder().encode(text)),
    flush: () => buffer.flush(),
    errColumns: () => (isTerminal(2) ? process.stderr.columns || columnsDefault : undefined),
  }
}

/** Where a terminal does not say how wide it is. */
const columnsDefault = 80
