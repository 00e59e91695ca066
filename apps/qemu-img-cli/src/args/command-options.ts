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

/** The option as a release has it. */
function spoken(option: CommandOption, compat: Compat): CommandOption {
  if (compat === '7.2' || option.long10 === undefined) return option
  const named = { ...option, long: option.long10 }
  // There the reference has the name that ours has elsewhere: `--progress=FORM` still means ours.
  return named.long === progressOption.long ? { ...named, attached: 'FORM' } : named
}

/** The options that the command takes, in the order in which a message about an ambiguous one lists them. */
export function commandOptions(table: CommandTable, compat: Compat): readonly CommandOption[] {
  const options = table.options
    .filter(({ since }) => since === undefined || compat === since)
    .map((option) => spoken(option, compat))
  const hasProgress = options.some(({ long }) => long === progressOption.long)
  return [
    help,
    ...(table.withoutObjects === true ? [] : [object]),
    driverOption,
    ...(table.untrusted === true ? untrustedOptions : []),
    ...options,
    ...(table.output === 'ours' ? [resultOption] : []),
    ...(hasProgress ? [] : [progressOption]),
    errorsOption,
  ]
}
