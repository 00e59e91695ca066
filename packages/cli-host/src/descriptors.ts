/** The process's own descriptors, written and looked at without what Node's streams cost to load. */

import { fstatSync, writeSync } from 'node:fs'

/**
 * Writes all of it at once, waiting for a slow reader. The event loop may be busy with a copy, and what is written must not
 * be lost when the process ends.
 */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
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

/** Linux's number of `/dev/null` and its like. */
const memoryDevices = 1

/** Node's own answer takes long to load, and a pipe, a file or `/dev/null` needs none. A descriptor may be closed. */
export function isTerminal(descriptor: number): boolean {
  try {
    const facts = fstatSync(descriptor)
    const isNone = process.platform === 'linux' && facts.rdev >>> 8 === memoryDevices
    if (isNone || !facts.isCharacterDevice()) return false
  } catch {
    return false
  }
  return process.getBuiltinModule('node:tty').isatty(descriptor)
}
