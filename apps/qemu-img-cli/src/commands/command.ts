/** What a subcommand is. */

import type { CommandContext } from '../context.ts'

/**
 * Runs one subcommand.
 *
 * @param argv - the command word and everything after it
 * @returns the exit status
 * @throws Failure, BlockError: printed by the caller, which exits with 1 or the failure's own status
 */
export type Command = (context: CommandContext, argv: readonly string[]) => Promise<number>
