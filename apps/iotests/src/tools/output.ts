/** Where the stand-in for qemu-io prints. */

import { writeSync } from 'node:fs'

/** Two outputs, as in C: results on `out`, complaints on `err`; text is whole lines. */
export interface Output {
  out(text: string): void
  err(text: string): void
}

/** The outputs of this process, written at once: a report must be out before the next request can crash. */
export const processOutput: Output = {
  out: (text) => writeAll(1, text),
  err: (text) => writeAll(2, text),
}

function writeAll(descriptor: number, text: string): void {
  let bytes: Uint8Array = new TextEncoder().encode(text)
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(descriptor, bytes))
}
