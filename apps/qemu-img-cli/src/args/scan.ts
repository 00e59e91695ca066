/** One command's options: scanned in order, with the handling that all commands share. */

import { GetoptLong, type ScanStep, tableOf } from '@blocklayer/command-line'
import type { CommandContext } from '../context.ts'
import { Failure, HelpRequest, usageFailure } from '../failure.ts'
import type { CommandTable } from '../tables/command-table.ts'
import { commandOptions } from './command-options.ts'

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
  table: CommandTable,
  handle: OptionHandler,
): readonly string[] {
  const rules = { stopAtOperand: process.env.POSIXLY_CORRECT !== undefined }
  const scanner = new GetoptLong(argv, tableOf(commandOptions(table, context.compat)), rules)
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    if (step.kind !== 'option' && table.helpOnError === true) {
      context.err(`${argv[0]}: ${step.complaint}\n`)
      throw new HelpRequest(table)
    }
    const { id, argument } = requireOption(step)
    if (id === 'h') throw new HelpRequest(table)
    else if (id === 'driver') context.addDriverModule(argument)
    else if (id === 'object') addObject(context, argument, table.objectExitCode)
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

function addObject(context: CommandContext, definition: string, exitCode: number | undefined): void {
  try {
    context.objects.add(definition)
  } catch (error) {
    if (!(error instanceof Failure) || exitCode === undefined) throw error
    throw new Failure(error.message, { exitCode, hint: error.hint, cause: error })
  }
}
