/** What commands need of the world they run in, beyond the image. */

import { BlockError } from '@blocklayer/block-core'

/** The surroundings of a session. What is absent is refused by the commands that need it. */
export interface Host {
  /** The content of a file, for `write -s`. @throws BlockError with the errno code that the reference would print */
  readFile?(path: string): Promise<Uint8Array>
  /** Ends the process as after a crash, without printing what is buffered. */
  abort?(): void
  /** Raises a signal; printed text has to be out before. */
  raise?(signal: number): void
  /** Seconds from any fixed moment; `performance.now()` by default. */
  now?(): number
}

/** Refuses what the host does not offer. */
export function requireHost<T>(call: T | undefined): T {
  if (call === undefined) throw BlockError.fromErrno('ENOTSUP')
  return call
}
