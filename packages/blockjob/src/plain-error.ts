/** What users of a job see of an error deep below. */

import { BlockError } from '@blocklayer/block-core'

/**
 * `error` with nothing but its code's text, as a job's own error is worded; other values as they are.
 *
 * @see spec/jobs.md, section 4
 */
export function plainError(error: unknown): unknown {
  return error instanceof BlockError ? BlockError.fromErrno(error.code, { cause: error }) : error
}
