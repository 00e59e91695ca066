/** Failures of a step of a longer operation. */

import { BlockError, toBlockError } from '@blocklayer/block-core/driver'

/** Runs `step`; a failure is reported as `<text>: <text of its code>`. What is no failure of the world passes. */
export async function named<Result>(text: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, text, { cause: error })
  }
}
