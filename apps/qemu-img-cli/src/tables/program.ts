/** The options in front of the command. */

import type { ProgramOption } from '@blocklayer/command-line'
import { schemaNames } from '../schemas.ts'
import { driverOption, errorsOption } from './own-options.ts'

/** In the order of `--help`. */
export const programOptions: readonly ProgramOption[] = [
  { long: 'help', letter: 'h', text: 'display this help and exit' },
  { long: 'version', letter: 'V', text: 'output version information and exit' },
  { long: 'trace', letter: 'T', value: 'SPEC', text: 'accepted and ignored' },
  driverOption,
  errorsOption,
  { long: 'man', exactOnly: true, text: 'print the manual (troff) and exit' },
  {
    long: 'schema',
    value: 'NAME',
    choices: schemaNames,
    exactOnly: true,
    text: "print the JSON schema of a command's --output json, or of events, and exit",
  },
  {
    long: 'completion',
    value: 'SHELL',
    choices: ['bash', 'zsh', 'fish'],
    exactOnly: true,
    text: 'print completion for a shell and exit',
  },
]
