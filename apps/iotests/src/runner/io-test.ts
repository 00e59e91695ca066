/** What a test is: a script over the two tools whose transcript is compared with golden output. */

import type { TestContext } from './test-context.ts'

/** What `src/tests/NNN-name/test.ts` exports under the name `test`. */
export interface IoTest {
  /** One line for `--list`. */
  readonly title: string
  /** Groups of `-g`. Every test is in `auto` if it needs no special host, in `quick` if it takes a few seconds. */
  readonly groups: readonly string[]
  /** Runs the tools; the transcript is the result. @throws TestFailure where going on makes no sense */
  run(context: TestContext): Promise<void>
}
