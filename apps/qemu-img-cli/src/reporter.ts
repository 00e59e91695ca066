/** What goes to standard error: messages for people, or one JSON object per line for programs. */

import { BlockError } from '@blocklayer/block-core'
import { exitFailure } from './exit-codes.ts'
import { Failure, withHint } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** Prints errors, warnings and remarks of one run. */
export interface Reporter {
  /** A failure that ends the command. What was told before it is finished is not told again. */
  conclude(error: Error, exitCode: number): Promise<void>
  /** A failure, as soon as it is known; more may come before the command ends. */
  tell(error: unknown): void
  /** Something that a driver has to say: an error that does not end the request, or a remark. */
  diagnostic(kind: 'error' | 'remark', text: string): void
  warn(message: string): void
  /** An image has been touched: what is wrong from now on is not the command line. */
  started(): void
}

/** Messages as the reference prints them. */
export class TextReporter implements Reporter {
  readonly #terminal: Terminal
  readonly #programName: string
  readonly #told = new WeakSet<Error>()

  constructor(terminal: Terminal, programName: string) {
    this.#terminal = terminal
    this.#programName = programName
  }

  conclude(error: Error): Promise<void> {
    this.tell(error)
    return Promise.resolve()
  }

  tell(error: unknown): void {
    if (!(error instanceof Failure) && !(error instanceof BlockError)) return
    if (!this.#told.has(error)) this.#terminal.err(this.#text(error))
    this.#told.add(error)
  }

  diagnostic(kind: 'error' | 'remark', text: string): void {
    this.#terminal.err(kind === 'error' ? `${this.#programName}: ${text}\n` : `${text}\n`)
  }

  warn(message: string): void {
    this.#terminal.err(`${this.#programName}: warning: ${message}\n`)
  }

  started(): void {}

  #text(error: Failure | BlockError): string {
    const more = error instanceof Failure ? error.more : []
    const lines = [error.message, ...more].map((message) => `${this.#programName}: ${message}\n`)
    const { hint = '' } = error instanceof Failure ? error : withHint(error)
    return lines.join('') + hint
  }
}

/** One JSON object per line; the one about the failure that ends the command is the last. */
export class JsonReporter implements Reporter {
  readonly #terminal: Terminal
  /** Failures that were told early: they belong to the one that ends the command. */
  readonly #early: Error[] = []
  #started = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  async conclude(error: Error, exitCode: number): Promise<void> {
    const { errnoOf, errorCode } = await import('./error-codes.ts')
    const all = [...this.#early.filter((early) => early !== error), error]
    const said = error instanceof Failure ? error : undefined
    const hint = said?.hint ?? (error instanceof BlockError ? error.hint : undefined)
    this.#line({
      event: 'error',
      code: errorCode(error, { code: said?.code, started: this.#started }),
      errno: errnoOf(error) ?? null,
      message: all.flatMap(messagesOf).join('\n'),
      hint: hint?.trimEnd() ?? null,
      exitCode,
    })
  }

  tell(error: unknown): void {
    if (error instanceof Failure || error instanceof BlockError) this.#early.push(error)
  }

  diagnostic(kind: 'error' | 'remark', text: string): void {
    this.#line({ event: kind === 'error' ? 'diagnostic' : 'remark', message: text })
  }

  warn(message: string): void {
    this.#line({ event: 'warning', message })
  }

  started(): void {
    this.#started = true
  }

  #line(record: object): void {
    this.#terminal.err(`${JSON.stringify(record)}\n`)
  }
}

function messagesOf(error: Error): readonly string[] {
  return [error.message, ...(error instanceof Failure ? error.more : [])]
}

/** The exit status of a command that ends with `error`. */
export function exitStatusOf(error: Failure | BlockError): number {
  return error instanceof Failure ? error.exitCode : exitFailure
}
