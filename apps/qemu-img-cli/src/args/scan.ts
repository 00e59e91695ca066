/** One command's options: scanned in order, with the handling that all commands share. */

import { GetoptLong, type OptionTable, optionTable, type ScanStep } from '@blocklayer/command-line'
import type { CommandContext } from '../context.ts'
import { Failure, HelpRequest, usageFailure } from '../failure.ts'

/** What a command accepts, in the compact notation of {@link optionTable}. */
export interface CommandOptions {
  readonly short: string
  readonly long: readonly string[]
  /** Exit status after a bad `--object`; 1 by default. */
  readonly objectExitCode?: number
  /** The command takes no `--object`: `bench`. */
  readonly withoutObjects?: boolean
  /** An unknown option is told in the C library's words, followed by the help, and is no failure: `measure` does so. */
  readonly helpOnError?: boolean
}

/** Takes one option; `argument` is empty where the option has none. */
export type OptionHandler = (id: string, argument: string) => void

/**
 * Scans `argv`, calls `handle` for each option in order and gives the operands.
 *
 * `--help`, `--object` and `--driver` are handled here.
 *
 * @param argv - the command word and what follows it
 * @throws Failure for an unknown option or a missing argument; HelpRequest for help
 */
export function scanOptions(
  context: CommandContext,
  argv: readonly string[],
  options: CommandOptions,
  handle: OptionHandler,
): readonly string[] {
  const table = commandTable(options)
  const scanner = new GetoptLong(argv, table, { stopAtOperand: process.env.POSIXLY_CORRECT !== undefined })
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    if (step.kind !== 'option' && options.helpOnError === true) {
      context.err(`${argv[0]}: ${step.complaint}\n`)
      throw new HelpRequest()
    }
    const { id, argument } = requireOption(step)
    if (id === 'h') throw new HelpRequest()
    else if (id === 'driver') context.addDriverModule(argument)
    else if (id === 'object') addObject(context, argument, options.objectExitCode)
    else handle(id, argument)
  }
  return scanner.operands
}

/**
 * The option of `step`.
 *
 * @throws Failure where there is none
 */
export function requireOption(step: ScanStep): { readonly id: string; readonly argument: string } {
  if (step.kind === 'unrecognized') throw usageFailure(`unrecognized option '${step.word}'`)
  if (step.kind === 'option') return { id: step.id, argument: step.argument ?? '' }
  throw usageFailure(`missing argument for option '${step.word}'`)
}

function commandTable(options: CommandOptions): OptionTable {
  const shared = options.withoutObjects === true ? ['help=h', 'driver:!'] : ['help=h', 'object:', 'driver:!']
  return optionTable(options.short, [...shared, ...options.long])
}

function addObject(context: CommandContext, definition: string, exitCode: number | undefined): void {
  try {
    context.objects.add(definition)
  } catch (error) {
    if (!(error instanceof Failure) || exitCode === undefined) throw error
    throw new Failure(error.message, { exitCode, hint: error.hint, cause: error })
  }
}
