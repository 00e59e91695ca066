/** The tool from its arguments to its exit status. */

import type { AnyDriver } from '@blocklayer/block-core'
import { driversWithModules, DriverModuleError, type ImportModule } from '@blocklayer/cli-host'
import {
  type AioChoice,
  CommandFailure,
  createOpener,
  type Host,
  parseOptions,
  runLine,
  Session,
  tellFailure,
} from '@blocklayer/qemu-io'
import { builtInDrivers } from './drivers.ts'
import { type Invocation, parseInvocation, type SessionRequest } from './invocation.ts'
import { temporaryFile } from './node-host.ts'
import type { Terminal } from './terminal.ts'

/** Where command lines come from while there is no `-c`. */
export interface LineSource {
  /** Prints the prompt if that is nobody else's task, and gives the next line; `undefined` at the end. */
  next(): Promise<string | undefined>
  close(): void
}

/** How the tool was called. */
export interface ToolCall {
  readonly programName: string
  /** Arguments after the program's name. */
  readonly args: readonly string[]
  readonly terminal: Terminal
  readonly host: Host
  /** The folder the user stands in. */
  readonly directory: string
  /** Driver modules from the environment, separated by commas. */
  readonly driverModules: string | undefined
  readonly importModule: ImportModule
  readonly lines: (prompt: string) => Promise<LineSource>
}

/** Runs one command line and gives its exit status; whatever goes wrong has been printed by then. */
export async function runTool(call: ToolCall): Promise<number> {
  const { programName, terminal } = call
  try {
    const invocation = parseInvocation(call.args)
    if (invocation.kind === 'session') return await runSession(call, invocation.session)
    return await printTexts(call, invocation)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    tellFailure(new Session({ output: terminal, programName }), error)
    return 1
  } finally {
    terminal.flush()
  }
}

async function printTexts(
  { programName, terminal }: ToolCall,
  invocation: Exclude<Invocation, { readonly kind: 'session' }>,
): Promise<number> {
  const texts = await import('./help.ts')
  if (invocation.kind === 'text') terminal.out(invocation.text)
  else if (invocation.kind === 'version') terminal.out(texts.versionText())
  else if (invocation.kind === 'man') terminal.out(texts.manText(programName))
  else if (invocation.kind === 'completion') terminal.out(texts.completionText(invocation.shell, programName))
  else terminal.out(texts.helpText(programName))
  if (invocation.kind !== 'usage') return 0
  if (invocation.complaint !== undefined) terminal.err(`${programName}: ${invocation.complaint}\n`)
  return 1
}

async function runSession(call: ToolCall, request: SessionRequest): Promise<number> {
  const { programName, terminal, host } = call
  const { file, format, imageOpts, settings, commands } = request
  const drivers = (aio: AioChoice | undefined): Promise<readonly AnyDriver[]> => allDrivers(call, request, aio)
  // As a drop-in tool: what an image names is opened.
  const opener = createOpener({ drivers, implicitOpen: 'allow', temporaryFile })
  const session = new Session({ output: terminal, programName, opener, imageOpts, host })
  if (file !== undefined) {
    const image = imageOpts ? { options: parseOptions(session, file) } : { path: file, format }
    await session.open(settings.request(image))
  }
  const ok = commands.length > 0 ? await runCommands(session, commands) : await runLines(call, session)
  await session.close()
  return ok ? 0 : 1
}

async function runCommands(session: Session, lines: readonly string[]): Promise<boolean> {
  let ok = true
  for (const line of lines) {
    if (session.ended) break
    if (!(await runLine(session, line))) ok = false
  }
  return ok
}

async function runLines({ programName, terminal, lines }: ToolCall, session: Session): Promise<boolean> {
  let ok = true
  const source = await lines(`${programName}> `)
  while (!session.ended) {
    const line = await session.outstanding.during(() => source.next())
    if (line === undefined) break
    if (!(await runLine(session, line))) ok = false
    terminal.flush()
  }
  source.close()
  return ok
}

/** The built-in drivers, and those of the modules that were named. */
async function allDrivers(
  { driverModules, directory, importModule }: ToolCall,
  request: SessionRequest,
  aio: AioChoice | undefined,
): Promise<readonly AnyDriver[]> {
  const named = (driverModules ?? '').split(',').filter((name) => name !== '')
  const modules = [...named, ...request.driverModules]
  try {
    return await driversWithModules(builtInDrivers(aio, request.throttleGroups), { modules, directory, importModule })
  } catch (error) {
    if (!(error instanceof DriverModuleError)) throw error
    throw new CommandFailure({ told: error.message }, { cause: error })
  }
}
