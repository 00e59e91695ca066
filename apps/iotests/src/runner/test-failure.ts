/** How a test gives up. */

/** A test that cannot go on: its message is the reason in the report. */
export class TestFailure extends Error {
  override readonly name: string = 'TestFailure'
}
