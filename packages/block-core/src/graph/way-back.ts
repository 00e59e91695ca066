/** What takes back the asynchronous steps of a change that came to a halt. */

import { BlockError } from '../errors.ts'

/** Steps back, to be taken in reverse; all are tried, so that as much as possible is as it was. */
export class WayBack {
  readonly #steps: (() => void | Promise<void> | undefined)[] = []

  add(step: () => void | Promise<void> | undefined): void {
    this.#steps.push(step)
  }

  /**
   * Takes all steps, the last one first.
   *
   * @param error - why
   * @returns what is to be thrown: `error`, with the failures of the way back as its cause where there were some
   */
  async go(error: unknown): Promise<unknown> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length === 0 || !(error instanceof BlockError)) return error
    const cause = new AggregateError([error, ...failures], 'the way back failed too')
    return new BlockError(error.code, error.message, { cause, hint: error.hint })
  }
}
