/** All commands there are, in the order in which `help` lists them. */

import type { Command } from '../command.ts'
import { aioFlushCommand, aioReadCommand, aioWriteCommand } from './aio.ts'
import { breakCommand, removeBreakCommand, resumeCommand, waitBreakCommand } from './breakpoints.ts'
import { discardCommand, flushCommand, infoCommand, lengthCommand, truncateCommand } from './disk.ts'
import { allocCommand, mapCommand } from './extents.ts'
import { helpCommand } from './help.ts'
import { closeCommand, openCommand } from './open-close.ts'
import { abortCommand, quitCommand, sigraiseCommand, sleepCommand } from './process.ts'
import { readCommand, readvCommand } from './read.ts'
import { reopenCommand } from './reopen.ts'
import { writeCommand, writevCommand } from './write.ts'

/** The table: lines are run from it, and help, manuals and completion are made of it. */
export const commands: readonly Command[] = [
  abortCommand,
  aioFlushCommand,
  aioReadCommand,
  aioWriteCommand,
  allocCommand,
  breakCommand,
  closeCommand,
  discardCommand,
  flushCommand,
  helpCommand(() => commands),
  infoCommand,
  lengthCommand,
  mapCommand,
  openCommand,
  quitCommand,
  readCommand,
  readvCommand,
  removeBreakCommand,
  reopenCommand,
  resumeCommand,
  sigraiseCommand,
  sleepCommand,
  truncateCommand,
  waitBreakCommand,
  writeCommand,
  writevCommand,
]

/** The command that a word means; only whole names and aliases count. */
export function findCommand(word: string): Command | undefined {
  return commands.find(({ name, alias }) => name === word || alias === word)
}
