/** A session from its request to its exit status. */

import type { AnyDriver } from '@blocklayer/block-core'
import { driversWithModules, DriverModuleError } from '@blocklayer/cli-host'
import { type AioChoice, CommandFailure, createOpener, parseOptions, runLine, Session } from '@blocklayer/qemu-io'
import { builtInDrivers } from './drivers.ts'
import type { SessionRequest } from './invocation.ts'
import { temporaryFile } from './node-host.ts'
import type { ToolCall } from './tool-call.ts'

/** Opens the image, if there is one, and runs the commands of `-c` or of standard input. @returns the exit status */
export async function runSession(call: ToolCall, request: SessionRequest): Promise<number> {
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
