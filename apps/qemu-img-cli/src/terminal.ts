/** Where text goes: the process's two outputs, written at once so that nothing is lost when it ends. */

import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'

/** Two outputs, as in C: results on `out`, complaints on `err`. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Characters in a line of `err`; `undefined` where that is no terminal. */
  errColumns?(): number | undefined
}

/**
 * The outputs of this process. Writing is synchronous: the event loop may be busy with a copy, and `process.stdout`
 * costs more to load than most commands take.
 */
export const processTerminal: Terminal = {
  out: (text) => writeAll(1, text),
  err: (text) => writeAll(2, text),
  errColumns: () => (isatty(2) ? process.stderr.columns || columnsDefault : undefined),
}

/** Where a terminal does not say how wide it is. */
const columnsDefault = 80

function writeAll(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text)
  let written = 0
  while (written < bytes.length) {
    const count = tryWrite(descriptor, bytes.subarray(written))
    if (count === undefined) return
    written += count
  }
}

/** Bytes taken; 0 if the reader is slow; `undefined` if there is no reader any more. */
function tryWrite(descriptor: number, bytes: Uint8Array): number | undefined {
  try {
    return writeSync(descriptor, bytes)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'EAGAIN') {
      // A pipe that somebody made non-blocking: give its reader a moment.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      return 0
    }
    // As the reference: a reader that went away, or a full disk under a log, does not fail the command itself.
    if (code === 'EPIPE' || code === 'EIO' || code === 'EBADF' || code === 'ENOSPC') return undefined
    throw error
  }
}
