/** Asks all copies at once, and waits for every one of them, also where some fail. */

import { type BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'

/** How a request to one copy ended: the error it failed with, or `undefined`. */
export type Outcome = BlockError | undefined

/** What all copies answered, each in its place. */
export interface Answers<T> {
  /** `undefined` where the copy failed. */
  readonly answers: readonly (T | undefined)[]
  readonly outcomes: readonly Outcome[]
}

/** Answers of copies that were read. */
export type Ballot = Answers<Uint8Array>

/** Runs `act` on all of `children`. @throws what is no `BlockError` and cannot be made one: a bug, not an answer */
export async function askAll<T>(children: readonly Child[], act: (child: Child) => Promise<T>): Promise<Answers<T>> {
  const settled = await Promise.allSettled(children.map((child) => act(child)))
  return {
    answers: settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)),
    outcomes: settled.map((one) => (one.status === 'fulfilled' ? undefined : toBlockError(one.reason))),
  }
}
