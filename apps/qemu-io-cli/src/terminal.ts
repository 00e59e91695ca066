/** Where text goes: the process's two outputs, buffered as a C program buffers them. */

import { isTerminal, writeAll } from '@blocklayer/cli-host'
import type { Output } from '@blocklayer/qemu-io'

/** The two outputs, and what a C program can do with them. */
export interface Terminal extends Output {
  /** Writes what is buffered. */
  flush(): void
  /** Forgets what is buffered, as a crash does. */
  discard(): void
}

/** How much the C library keeps back where the output is no terminal. */
const bufferBytes = 4096

/**
 * The outputs of this process. Results are kept back until the end, or until 4 KiB are there, where they go to a file or a
 * pipe: scripts that join both outputs see complaints before results, as they do with the reference.
 */
export class ProcessTerminal implements Terminal {
  readonly #isInteractive = isTerminal(1)
  #buffered: Uint8Array = new Uint8Array(0)

  out(text: string): void {
    const bytes = new TextEncoder().encode(text)
    if (this.#isInteractive) {
      writeAll(1, bytes)
      return
    }
    const joined = new Uint8Array(this.#buffered.length + bytes.length)
    joined.set(this.#buffered)
    joined.set(bytes, this.#buffered.length)
    // A buffer that is just full is written with the next letter.
    const kept = joined.length === 0 ? 0 : ((joined.length - 1) % bufferBytes) + 1
    writeAll(1, joined.subarray(0, joined.length - kept))
    this.#buffered = joined.subarray(joined.length - kept)
  }

  err(text: string): void {
    writeAll(2, new TextEncoder().encode(text))
  }

  flush(): void {
    const bytes = this.#buffered
    this.discard()
    writeAll(1, bytes)
  }

  discard(): void {
    this.#buffered = new Uint8Array(0)
  }
}

/** Whether standard input is a person's terminal. */
export function isInteractiveInput(): boolean {
  return isTerminal(0) && isTerminal(1)
}
