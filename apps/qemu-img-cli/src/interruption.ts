/** What SIGINT and SIGTERM do while a command writes: the work is given up in good order, and said to be. */

import { refusedExit } from './exit-codes.ts'
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

/** Time is up for an image of a stranger. */
class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp'
}

/** How long work may take. */
export interface TimeLimit {
  /** Looked at again and again; `undefined`: as long as it takes. */
  readonly seconds: number | undefined
}

/** Milliseconds between two looks at the clock. */
const lookEvery = 100

/**
 * Runs work that `signal` can end. The first SIGINT or SIGTERM aborts it; the second ends the process at once, as both do
 * before and after.
 *
 * @param limit - of an image of a stranger
 * @throws Failure `Interrupted by <signal>: <outcome>` with the signal's exit status; `Refused: …` where time is up; or
 *   what `work` throws
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  outcomes: Outcomes,
  limit: TimeLimit = { seconds: undefined },
): Promise<T> {
  const controller = new AbortController()
  const clock = limit.seconds === undefined ? undefined : watch(limit, controller)
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => controller.abort(new Interrupted(name))
    process.once(name, listener)
    return { name, listener }
  })
  try {
    const result = await work(controller.signal)
    const { reason } = controller.signal
    if (reason instanceof Interrupted) throw interrupted(reason, outcomes.done())
    return result
  } catch (error) {
    if (error instanceof TimeIsUp) {
      throw new Failure(`${error.message}: ${outcomes.givenUp()}`, {
        exitCode: refusedExit,
        code: 'refused',
        cause: error,
      })
    }
    throw error instanceof Interrupted ? interrupted(error, outcomes.givenUp()) : error
  } finally {
    clearInterval(clock)
    for (const { name, listener } of listeners) process.removeListener(name, listener)
  }
}

/** A timer for each look: what may be taken changes when an image is known. */
function watch(limit: TimeLimit, controller: AbortController): NodeJS.Timeout {
  const start = performance.now()
  return setInterval(() => {
    const { seconds = 0 } = limit
    if (performance.now() - start < seconds * 1000) return
    controller.abort(new TimeIsUp(`Refused: it takes more than ${seconds} seconds`))
  }, lookEvery)
}

function interrupted(reason: Interrupted, outcome: string): Failure {
  const options = { exitCode: exitStatus[reason.signal], code: 'interrupted', cause: reason } as const
  return new Failure(`${reason.message}: ${outcome}`, options)
}
