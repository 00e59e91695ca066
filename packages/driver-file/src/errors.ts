/** Turns what Node and the C library report into `BlockError`s with qemu's words. */

import { BlockError, type Errno, errnoFromNumber, isErrno } from '@blocklayer/block-core/driver'

/**
 * The errno code of an error that Node's `fs` threw.
 *
 * @throws `error` itself where it does not come from a system call: only a bug of ours can cause that
 */
export function errnoOf(error: unknown): Errno {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown }
  if (typeof errno !== 'number') throw error
  if (isErrno(code)) return code
  // Codes outside our table keep the meaning that every caller can rely on: the request failed.
  return errnoFromNumber(Math.abs(errno)) ?? 'EIO'
}

/** A failed request on an open file: a bare code, as the layers above print it. */
export function requestError(error: unknown): BlockError {
  if (error instanceof BlockError) return error
  return BlockError.fromErrno(errnoOf(error), { cause: error })
}

/** A failed system call behind `words`: `Could not open 'x': No such file or directory`. */
export function callError(error: unknown, words: string): BlockError {
  return BlockError.withErrno(errnoOf(error), words, { cause: error })
}

/** The code of a negative result of a C library call (`-28` gives `ENOSPC`). */
export function errnoOfResult(result: number): Errno {
  return errnoFromNumber(-result) ?? 'EIO'
}

/** Whether a negative result says that the file system cannot do this at all, now or later. */
export function isUnsupported(result: number): boolean {
  const code = errnoFromNumber(-result)
  return code === 'ENOTSUP' || code === 'ENOSYS' || code === 'ENODEV'
}
