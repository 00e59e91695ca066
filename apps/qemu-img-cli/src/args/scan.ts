/** One command's options: scanned in order, with the handling that all commands share. */

import { GetoptLong, type ScanStep, tableOf } from '@blocklayer/command-line'
import type { CommandContext } from '../context.ts'
import { Failure, HelpRequest, usageFailure } from '../failure.ts'
import { parseErrorForm, parseProgressForm } from '../presentation.ts'
import type { CommandTable } from '../tables/command-table.ts'
import { commandOptions } from './command-options.ts'
import { outputForm } from './common.ts'

/** Takes one option; `argument` is empty where the option has none. */
export type OptionHandler = (id: string, argument: string) => void

/**
 * Scans `argv`, calls `handle` for each option in order and gives the operands.
 *
 * `--help`, `--object` and the options of ours are handled here.
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
  const options = commandOptions(table, context.compat)
  const scanner = new GetoptLong(argv, tableOf(options), rules)
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    if (step.kind !== 'option' && table.helpOnError === true) {
      if (context.presentation.errors === 'json') throw usageFailure(step.complaint)
      context.err(`${argv[0]}: ${step.complaint}\n`)
      throw new HelpRequest(table)
    }
    const { id: found, argument } = requireOption(step)
    const id = options.find(({ letter, long = '' }) => (letter ?? long) === found)?.means ?? found
    if (id === 'h') throw new HelpRequest(table)
    if (takeOwnOption(context, table, { id, argument })) continue
    if (id === 'object') addObject(context, argument, table.objectExitCode)
    else if (!context.untrusted.take(id, argument, context.warn)) handle(id, argument)
  }
  context.untrusted.check()
  return scanner.operands
}

/** Takes an option of ours; false for one of the reference's. */
function takeOwnOption(
  { presentation, addDriverModule }: CommandContext,
  table: CommandTable,
  { id, argument }: { readonly id: string; readonly argument: string },
): boolean {
  if (id === 'driver') addDriverModule(argument)
  // Looked at before anything else was read; here it is only judged.
  else if (id === 'errors') parseErrorForm(argument)
  else if (id === 'progress' || (id === 'p' && argument !== '')) presentation.progress = parseProgressForm(argument)
  else if (id === 'output' && table.output === 'ours') presentation.output = outputForm(argument)
  else return false
  return true
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
