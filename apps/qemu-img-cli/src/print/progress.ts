/** The progress line of long commands: `    (12.50/100%)`, rewritten in place, or on request by a signal. */

import { fixed2 } from './c-format.ts'

/** Where a progress line goes. */
export interface ProgressOutput {
  out(text: string): void
  err(text: string): void
  /** Writes what `out` keeps back. */
  flush?(): void
}

/** How often a line may come. */
export interface ProgressOptions {
  /** `-p` without `-q`: lines on standard output as work goes on. */
  readonly enabled: boolean
  /** Percentage points that must lie between two lines. */
  readonly minSkip: number
}

/** One command's progress, in whatever form. */
export interface Progress {
  /**
   * Work stands at `percent`.
   *
   * @param percent - 0 to 100, more is taken as 100; NaN (nothing to do yet) as 0
   * @param bytes - done by now, where work is counted in bytes
   */
  report(percent: number, bytes?: number): void
  /** Asks for one line at the next report, where none would come by itself (the user sent SIGUSR1). */
  request(): void
  /** Ends what is rewritten in place. To be called on success and on failure alike. */
  end(): void
}

/**
 * Progress as the reference shows it. Without `-p` it stays silent until {@link request} asks for one line.
 *
 * @see QEMU 7.2 util/qemu-progress.c
 */
export class TextProgress implements Progress {
  readonly #output: ProgressOutput
  readonly #options: ProgressOptions
  #current = 0
  #lastPrinted = 0
  #requested = false

  constructor(output: ProgressOutput, options: ProgressOptions) {
    this.#output = output
    this.#options = options
  }

  /** 0 and 100 are always printed, others where enough has happened since the last line. */
  report(percent: number): void {
    const current = Math.fround(Math.min(Number.isNaN(percent) ? 0 : percent, 100))
    this.#current = current
    if (!this.#options.enabled) {
      this.#answerRequest()
      return
    }
    const due =
      current - this.#lastPrinted > this.#options.minSkip || this.#lastPrinted - current > this.#options.minSkip
    if (!due && current !== 0 && current !== 100) return
    this.#lastPrinted = current
    this.#output.out(`${this.#line()}\r`)
    this.#output.flush?.()
  }

  request(): void {
    if (!this.#options.enabled) this.#requested = true
  }

  end(): void {
    if (this.#options.enabled) this.#output.out('\n')
  }

  #answerRequest(): void {
    if (!this.#requested) return
    this.#requested = false
    this.#output.err(`${this.#line()}\n`)
  }

  #line(): string {
    return `    (${fixed2(this.#current)}/100%)`
  }
}
