/** What a command is: one row of the table from which lines are run. */

import type { Arguments } from './arguments.ts'
import type { Session } from './session.ts'
import type { CommandSyntax } from './syntax.ts'

/** One command. */
export interface Command extends CommandSyntax {
  /** Can be run while no file is open. */
  readonly withoutImage?: boolean
  /** Needs the permission to write, and asks for it. */
  readonly writes?: boolean
  /**
   * Runs the command.
   *
   * @returns false where it failed and has said so
   * @throws CommandFailure with what is to be printed; anything else is a bug
   */
  run(session: Session, args: Arguments): Promise<boolean> | boolean
}
