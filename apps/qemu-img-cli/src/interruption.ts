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

/**
 * Runs work that `signal` can end. The first SIGINT or SIGTERM aborts it; the second ends the process at once, as both do
 * while no such work is going on: a command that only reads has nothing to put in order.
 *
 * @param outcome - tells, once all is closed, what has become of the images
 * @throws Failure `Interrupted by <signal>: <outcome>` with the signal's exit status; or what `work` throws
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, outcome: () => string): Promise<T> {
  const controller = new AbortController()
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => controller.abort(new Interrupted(name))
    process.once(name, listener)
    return { name, listener }
  })
  try {
    return await work(controller.signal)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    const options = { exitCode: exitStatus[error.signal], code: 'interrupted', cause: error } as const
    throw new Failure(`${error.message}: ${outcome()}`, options)
  } finally {
    for (const { name, listener } of listeners) process.removeListener(name, listener)
  }
}
