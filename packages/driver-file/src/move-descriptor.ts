/** Moving the place where a descriptor reads and writes, which it may share with other processes. */

import { BlockError } from '@blocklayer/block-core/driver'
import { errnoOfResult } from './errors.ts'
import { loadLibc } from './libc.ts'

/**
 * Moves `descriptor` to `offset`.
 *
 * @throws BlockError `ESPIPE` where it has no place, as a pipe; else what the system reports
 */
export type MoveDescriptor = (descriptor: number, offset: number) => void

/** The call, or `undefined` where only Node's own calls are at hand. */
export function descriptorMover(): MoveDescriptor | undefined {
  const { libc } = loadLibc()
  if (libc === undefined) return undefined
  return (descriptor, offset) => {
    const result = libc.seekTo(descriptor, offset)
    if (result < 0) throw BlockError.fromErrno(errnoOfResult(result))
  }
}
