/** Requests that were begun and not waited for, and when the news of their end is told. */

import { BlockError } from '@blocklayer/block-core'

/** Told when a request has ended: with what it failed, or with nothing. */
export type Ended = (failure: BlockError | undefined) => void

/**
 * The outstanding requests of a session.
 *
 * An end is told while somebody waits for something, in the order in which requests end. Between two commands nobody
 * does, so that a command which never waits prints before them, as in the reference, whose event loop stands still then
 * and afterwards begins with what it was given last.
 */
export class Outstanding {
  #running = 0
  #watchers = 0
  /** Ends that nobody has been told of. */
  #untold: (() => void)[] = []
  #bug: { readonly error: unknown } | undefined
  #wake: (() => void)[] = []

  /** How many have not ended. */
  get count(): number {
    return this.#running
  }

  /** Begins a request; `ended` is called once, when somebody waits. */
  begin(request: () => Promise<void>, ended: Ended): void {
    this.#running++
    request().then(
      () => this.#end(() => ended(undefined)),
      (error: unknown) => {
        if (!(error instanceof BlockError)) this.#bug ??= { error }
        this.#end(() => ended(error instanceof BlockError ? error : BlockError.fromErrno('EIO')))
      },
    )
  }

  /** Waits for `work`, which begins before anybody is told; what ends meanwhile is told at once. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#watchers++
    try {
      const begun = work()
      this.#tell()
      return await begun
    } finally {
      this.#watchers--
    }
  }

  /** Waits for all of them. @throws what was no failure of the world, but a bug */
  async drain(): Promise<void> {
    await this.during(async () => {
      while (this.#running > 0) await new Promise<void>((resolve) => this.#wake.push(resolve))
    })
    if (this.#bug !== undefined) throw this.#bug.error
  }

  #end(tell: () => void): void {
    this.#running--
    this.#untold.push(tell)
    if (this.#watchers > 0) this.#tell()
    for (const wake of this.#wake.splice(0)) wake()
  }

  #tell(): void {
    for (const tell of this.#untold.splice(0).reverse()) tell()
  }
}
