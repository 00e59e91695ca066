/** All options of a subcommand: those of its table, and those that every command has. */

import type { Compat } from '../compat.ts'
import type { CommandOption, CommandTable } from '../tables/command-table.ts'
import { driverOption, errorsOption, progressOption, resultOption, untrustedOptions } from '../tables/own-options.ts'

const help: CommandOption = { long: 'help', letter: 'h', text: 'display this help and exit' }

const object: CommandOption = {
  long: 'object',
  value: 'OBJECTDEF',
  text: "define an object: 'secret,id=sec0,data=…'",
}

/** The options that the command takes, in the order in which a message about an ambiguous one lists them. */
export function commandOptions(table: CommandTable, compat: Compat): readonly CommandOption[] {
  return [
    help,
    ...(table.withoutObjects === true ? [] : [object]),
    driverOption,
    ...(table.untrusted === true ? untrustedOptions : []),
    ...table.options.filter(({ since }) => since === undefined || compat === since),
    ...(table.output === 'ours' ? [resultOption] : []),
    ...(table.progress === true ? [progressOption] : []),
    errorsOption,
  ]
}
