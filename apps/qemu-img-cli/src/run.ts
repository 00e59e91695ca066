/** The tool from its arguments to its exit status. */

import { type AnyDriver, BlockError } from '@blocklayer/block-core'
import { driversWithModules, DriverModuleError, type ImportModule, type ModuleLoading } from '@blocklayer/cli-host'
import { GetoptLong, shells, tableOf } from '@blocklayer/command-line'
import { ObjectStore } from './args/object-opts.ts'
import { UntrustedMode } from './args/untrusted.ts'
import { requireOption } from './args/scan.ts'
import { type Compat, parseCompat } from './compat.ts'
import { loadCommand } from './commands/index.ts'
import type { CommandContext } from './context.ts'
import { exitFailure } from './exit-codes.ts'
import { Done, Failure, HelpRequest, usageFailure } from './failure.ts'
import { errorFormOf, parseErrorForm } from './presentation.ts'
import { exitStatusOf, JsonReporter, TextReporter } from './reporter.ts'
import { programOptions } from './tables/program.ts'
import { schemaNames, schemaText } from './schemas.ts'
import type { Terminal } from './terminal.ts'

/** How the tool was called. */
export interface Invocation {
  readonly programName: string
  /** Arguments after the program's name. */
  readonly args: readonly string[]
  readonly terminal: Terminal
  /** The folder the user stands in. */
  readonly directory: string
  /** Driver modules from the environment, separated by commas. */
  readonly driverModules: string | undefined
  readonly importModule: ImportModule
  /** `BLOCKLAYER_COMPAT` from the environment. */
  readonly compat?: string | undefined
  /** `BLOCKLAYER_ERRORS` from the environment. */
  readonly errors?: string | undefined
}

/** Runs one command line and gives its exit status; whatever goes wrong has been printed by then. */
export async function runTool(invocation: Invocation): Promise<number> {
  const context = createContext(invocation)
  try {
    context.compat = parseCompat(invocation.compat)
    if (invocation.errors !== undefined) parseErrorForm(invocation.errors)
    return await runCommandLine(context, invocation.args)
  } catch (error) {
    return await concludeError(context, error)
  }
}

async function runCommandLine(context: CommandContext, args: readonly string[]): Promise<number> {
  if (args.length === 0) throw usageFailure('Not enough arguments')
  const scanner = new GetoptLong(['qemu-img', ...args], tableOf(programOptions), { stopAtOperand: true })
  for (let step = scanner.next(); step !== undefined; step = scanner.next()) {
    const { id, argument } = requireOption(step)
    if (id === 'h') throw new HelpRequest()
    if (id === 'V' || id === 'man' || id === 'completion' || id === 'schema') {
      context.out(await programText(context, id, argument))
      return 0
    }
    // Tracing is the reference's own instrument; its option is taken so that scripts with it still run.
    if (id === 'driver') context.addDriverModule(argument)
    if (id === 'errors') parseErrorForm(argument)
  }
  const [name] = scanner.operands
  if (name === undefined) return 0
  const command = await loadCommand(name)
  if (command === undefined) throw usageFailure(`Command not found: ${name}`)
  return await command(context, scanner.operands)
}

/** What an option prints that is about the program itself. */
async function programText(
  context: CommandContext,
  id: 'V' | 'man' | 'completion' | 'schema',
  argument: string,
): Promise<string> {
  if (id === 'V') return (await import('./help.ts')).versionText()
  if (id === 'schema') {
    const text = schemaText(argument)
    if (text === undefined) throw usageFailure(`There is no schema '${argument}'; there are ${schemaNames.join(', ')}`)
    return text
  }
  const formats = formatNames(await context.drivers())
  const { completionText, manText } = await import('./manual.ts')
  if (id === 'man') return manText({ programName: context.programName, compat: context.compat, formats })
  const shell = shells.find((name) => name === argument)
  if (shell === undefined) throw usageFailure(`Completion is for ${shells.join(', ')}, not '${argument}'`)
  return completionText(shell, { programName: context.programName, compat: context.compat, formats })
}

function formatNames(drivers: readonly AnyDriver[]): string[] {
  return drivers.map(({ formatName }) => formatName).sort()
}

async function concludeError(context: CommandContext, error: unknown): Promise<number> {
  if (error instanceof Done) return 0
  if (error instanceof HelpRequest) {
    const { commandHelp, helpText } = await import('./help.ts')
    // Since QEMU 10.1 each command has a help of its own.
    const isCommand = error.table !== undefined && context.compat === '10'
    context.out(isCommand ? commandHelp(error.table) : helpText(formatNames(await context.drivers())))
    return 0
  }
  const { reporter, presentation } = context
  if (error instanceof Failure || error instanceof BlockError) {
    const status = exitStatusOf(error)
    await reporter.conclude(error, status)
    return status
  }
  if (presentation.errors === 'text' || !(error instanceof Error)) throw error
  await reporter.conclude(new Failure(error.stack ?? error.message, { code: 'internal', cause: error }), exitFailure)
  return exitFailure
}

function createContext(invocation: Invocation): CommandContext & { compat: Compat } {
  const { programName, terminal, directory } = invocation
  const modules = (invocation.driverModules ?? '').split(',').filter((name) => name !== '')
  const errors = errorFormOf(invocation.args, invocation.errors)
  const reporter = errors === 'json' ? new JsonReporter(terminal) : new TextReporter(terminal, programName)
  const objects = new ObjectStore(terminal)
  let loaded: Promise<readonly AnyDriver[]> | undefined
  return {
    programName,
    compat: '7.2',
    ...terminal,
    presentation: { output: 'human', progress: undefined, errors },
    reporter,
    objects,
    untrusted: new UntrustedMode(),
    addDriverModule: (specifier) => void modules.push(specifier),
    drivers() {
      loaded ??= allDrivers(objects, { modules, directory, importModule: invocation.importModule })
      return loaded
    },
    warn: (message) => reporter.warn(message),
  }
}

async function allDrivers({ throttleGroups }: ObjectStore, loading: ModuleLoading): Promise<readonly AnyDriver[]> {
  // Most of the program, which many command lines do not come to.
  const { builtInDrivers } = await import('./drivers.ts')
  try {
    return await driversWithModules(builtInDrivers(throttleGroups), loading)
  } catch (error) {
    if (!(error instanceof DriverModuleError)) throw error
    throw new Failure(error.message, { cause: error })
  }
}
