/** How a command ends early: a message for standard error and an exit status. */

import type { BlockError } from '@blocklayer/block-core'
import { exitFailure } from './exit-codes.ts'
import type { CommandTable } from './tables/command-table.ts'

/** What kind of failure it is, for programs: `error-codes.ts` says what each means. */
export type ErrorCode =
  | 'usage'
  | 'refused'
  | 'open-failed'
  | 'image-locked'
  | 'create-failed'
  | 'read-failed'
  | 'write-failed'
  | 'close-failed'
  | 'operation-failed'
  | 'interrupted'
  | 'internal'

/** What {@link Failure} carries besides its message. */
export interface FailureOptions {
  /** Default: found out from the message, the cause and how far the command has come. */
  readonly code?: ErrorCode
  readonly exitCode?: number
  /** Lines under the message, printed as they are. */
  readonly hint?: string | undefined
  /** Further messages with the program's name before each, printed after the first. */
  readonly more?: readonly string[]
  readonly cause?: unknown
}

/** The hint under messages about wrong usage; the word `qemu-img` is fixed text whatever the program is called. */
export const usageHint = "Try 'qemu-img --help' for more information\n"

/** Ends the command: `<program>: <message>`, the hint, and the exit status. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number
  readonly hint: string | undefined
  readonly more: readonly string[]
  readonly code: ErrorCode | undefined

  constructor(message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = options.exitCode ?? exitFailure
    this.hint = options.hint
    this.more = options.more ?? []
    this.code = options.code
  }
}

/** A `Failure` about wrong usage, with the usual hint. */
export function usageFailure(message: string): Failure {
  return new Failure(message, { hint: usageHint, code: 'usage' })
}

/** What a failure made from `error` takes over from it. */
export function withHint(error: BlockError): FailureOptions {
  return { cause: error, hint: error.hint === undefined ? undefined : `${error.hint}\n` }
}

/** Thrown where `--help` is met among a command's options: what comes later is not looked at. */
export class HelpRequest extends Error {
  override readonly name = 'HelpRequest'
  /** The command among whose options it was met; absent: in front of any. */
  readonly table: CommandTable | undefined

  constructor(table?: CommandTable) {
    super()
    this.table = table
  }
}

/** Ends the command successfully without doing anything more (an option's own help was printed). */
export class Done extends Error {
  override readonly name = 'Done'
}
