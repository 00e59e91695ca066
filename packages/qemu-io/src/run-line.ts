/** Runs command lines. */

import { BlockError, Permissions } from '@blocklayer/block-core'
import { Arguments, splitLine } from './arguments.ts'
import type { Command } from './command.ts'
import { findCommand } from './commands/table.ts'
import { CommandFailure, toldBy } from './failure.ts'
import type { Session } from './session.ts'

/**
 * Runs one line of a session; what it has to say is printed.
 *
 * @returns whether it succeeded; an empty line does
 */
export async function runLine(session: Session, line: string): Promise<boolean> {
  const [name, ...words] = splitLine(line)
  if (name === undefined) return true
  try {
    return await runNamed(session, name, words)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    tellFailure(session, error)
    return false
  }
}

/** Prints what a failure has to say. */
export function tellFailure(session: Session, { text }: CommandFailure): void {
  if (text.told !== undefined) session.tell(text.told)
  session.err(text.err ?? '')
  session.out(text.out ?? '')
}

async function runNamed(session: Session, name: string, words: readonly string[]): Promise<boolean> {
  const command = findCommand(name)
  if (command === undefined) throw new CommandFailure({ err: `command "${name}" not found\n` })
  if (session.image === undefined && command.withoutImage !== true) {
    throw new CommandFailure({ err: "no file open, try 'help open'\n" })
  }
  const args = new Arguments(command, name, words)
  if (command.writes === true) askToWrite(session)
  return await runCommand(session, command, args)
}

async function runCommand(session: Session, command: Command, args: Arguments): Promise<boolean> {
  try {
    return await command.run(session, args)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw toldBy(error)
  }
}

/** A user that opened read-only, or gave the permission back, gets it as soon as the node allows. */
function askToWrite(session: Session): void {
  const backend = session.image?.backend
  if (backend === undefined) return
  const { taken, shared } = backend.permissions
  if ((taken & Permissions.write) !== 0) return
  try {
    backend.setPermissions({ taken: taken | Permissions.write, shared })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw toldBy(error)
  }
}
