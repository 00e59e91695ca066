/** Progress of a command together with the signal that asks for it. */

import { Progress, type ProgressOptions, type ProgressOutput } from './print/progress.ts'

/** A command's progress, which a user may also ask for by SIGUSR1 where it is not shown anyway. */
export function startProgress(output: ProgressOutput, options: ProgressOptions): Progress {
  const progress = new Progress(output, options)
  process.on('SIGUSR1', () => progress.request())
  return progress
}

/** Longest time in milliseconds that bulk work keeps signals waiting. */
const breathAfter = 50

/**
 * Lets the event loop turn now and then. Files are read and written synchronously, so a copy would otherwise never see
 * a signal before its end.
 */
export class Breather {
  #last = performance.now()

  /** Turns the event loop once if the last turn was long ago. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#last < breathAfter) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#last = performance.now()
  }
}
