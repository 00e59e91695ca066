/** Where text goes: the process's two outputs, written at once so that nothing is lost when it ends. */

import { isTerminal, writeAll } from '@blocklayer/cli-host'

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
  out: (text) => writeAll(1, new TextEncoder().encode(text)),
  err: (text) => writeAll(2, new TextEncoder().encode(text)),
  errColumns: () => (isTerminal(2) ? process.stderr.columns || columnsDefault : undefined),
}

/** Where a terminal does not say how wide it is. */
const columnsDefault = 80
