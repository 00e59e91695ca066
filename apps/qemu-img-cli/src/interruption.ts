/** What SIGINT and SIGTERM do while a command writes: the work is given up in good order, and said to be. */

import { Failure } from './failure.ts'

/** Signals that end a command, and the exit status that a shell gives a program that they end. */
const exitStatus = { SIGINT: 130, SIGTERM: 143 } as const

/** A signal that ends a command. */
export type EndingSignal = keyof typeof exitStatus

/** The reason of an `AbortSignal` that such a signal has aborted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: EndingSignal

  constructor(signal: EndingSignal) {
    super(`Interrupted by ${signal}`)
    this.signal = signal
  }
}

/** Tells, once all is closed, what has become of the images. */
export interface Outcomes {
  /** Where the work was given up. */
  readonly givenUp: () => string
  /** Where it was done all the same: the signal came late, or in the middle of a step that cannot be halved. */
  readonly done: () => string
}

/** The outcome of commands that only read. */
export const onlyRead: Outcomes = { givenUp: () => 'nothing was changed', done: () => 'nothing was changed' }

/**
 * Runs work that `signal` can end. The first SIGINT or SIGTERM aborts it; the second ends the process at once, as both do
 * before and after.
 *
 * @throws Failure `Interrupted by <signal>: <outcome>` with the signal's exit status; or what `work` throws
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, outcomes: Outcomes): Promise<T> {
  const controller = new AbortController()
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => controller.abort(new Interrupted(name))
    process.once(name, listener)
    return { name, listener }
  })
  try {
    const result = await work(controller.signal)
    if (controller.signal.aborted) throw interrupted(controller.signal.reason as Interrupted, outcomes.done())
    return result
  } catch (error) {
    throw error instanceof Interrupted ? interrupted(error, outcomes.givenUp()) : error
  } finally {
    for (const { name, listener } of listeners) process.removeListener(name, listener)
  }
}

function interrupted(reason: Interrupted, outcome: string): Failure {
  const options = { exitCode: exitStatus[reason.signal], code: 'interrupted', cause: reason } as const
  return new Failure(`${reason.message}: ${outcome}`, options)
}
