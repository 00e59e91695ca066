/** The command interpreter of qemu-io. */

export { splitLine } from './arguments.ts'
export type { Command } from './command.ts'
export { parseOptions } from './commands/open-close.ts'
export { commands, findCommand } from './commands/table.ts'
export { CommandFailure, type FailureText } from './failure.ts'
export type { Host } from './host.ts'
export { createOpener, type OpenerOptions } from './image-opener.ts'
export {
  type AioChoice,
  aioNames,
  type CacheMode,
  cacheModeNames,
  discardModeNames,
  OpenSettings,
  type OpenRequest,
} from './open-request.ts'
export { type Output, type Printed, recordingOutput } from './output.ts'
export { type CommandOutcome, runCommand, type RunCommandOptions } from './run-command.ts'
export { runLine, tellFailure } from './run-line.ts'
export { type CommandOption, type CommandSyntax, usageLine } from './syntax.ts'
export { type OpenedImage, type Opener, Session, type SessionOptions } from './session.ts'
