/** The texts of `--man` and `--completion`, made of the tables. */

import { commandCompletionScript, type ManualEntry, manPage, optionHead, type Shell } from '@blocklayer/command-line'
import manifest from '../package.json' with { type: 'json' }
import { commandOptions } from './args/command-options.ts'
import type { Compat } from './compat.ts'
import { errorCodes } from './error-codes.ts'
import type { CommandTable } from './tables/command-table.ts'
import { commandTables } from './tables/index.ts'
import { programOptions } from './tables/program.ts'

/** Whom the texts are about. */
export interface DescribedProgram {
  readonly programName: string
  readonly compat: Compat
  /** Names of all drivers there are, sorted. */
  readonly formats: readonly string[]
}

/** Completion for a shell. */
export function completionText(shell: Shell, { programName, compat, formats }: DescribedProgram): string {
  return commandCompletionScript(shell, {
    name: programName,
    formats,
    options: programOptions,
    commands: commandTables.map((table) => ({
      name: table.name,
      text: table.summary,
      options: commandOptions(table, compat),
      ...(table.words === undefined ? {} : { words: table.words }),
    })),
  })
}

/** The manual, in troff. */
export function manText({ programName, compat, formats }: DescribedProgram): string {
  return manPage({
    name: programName,
    version: manifest.version,
    summary: 'disk image utility',
    synopsis: '[standard options] command [command options]',
    description: [
      'Makes, inspects, copies and changes disk images. Commands, options, output and exit status are those of qemu-img ' +
        `${compat}; what is beyond them is said below.`,
      'A size is a number of bytes, or one with a suffix k, M, G, T, P or E for powers of 1024.',
      `Formats and protocols: ${formats.join(', ')}.`,
    ],
    options: programOptions,
    sections: [
      { title: 'Commands', entries: commandTables.map((table) => commandEntry(table, compat)) },
      { title: 'Exit status', entries: exitStatus },
      { title: 'Error codes', entries: Object.entries(errorCodes).map(([head, text]) => ({ head, text })) },
      { title: 'Environment', entries: environment },
    ],
  })
}

function commandEntry(table: CommandTable, compat: Compat): ManualEntry {
  return {
    head: `${table.name} ${table.usage}`,
    text: `${table.summary.charAt(0).toUpperCase()}${table.summary.slice(1)}.`,
    options: commandOptions(table, compat).map((option) => ({ head: optionHead(option), text: option.text })),
  }
}

const exitStatus: readonly ManualEntry[] = [
  { head: '0', text: 'done; compare: the images are identical; check: no damage' },
  { head: '1', text: 'failed, with a message on standard error; compare: the images differ' },
  { head: '2', text: 'check: corruptions were found; compare: an image could not be opened' },
  { head: '3', text: 'check: clusters are leaked; compare: where data lies could not be found out' },
  { head: '4', text: 'compare: an image could not be read' },
  { head: '63', text: 'check: the format does not support checks' },
  { head: '130, 143', text: 'ended by SIGINT or SIGTERM' },
]

const environment: readonly ManualEntry[] = [
  { head: 'BLOCKLAYER_COMPAT', text: '7.2 (default) or 10: whose output is printed where releases of QEMU differ' },
  { head: 'BLOCKLAYER_DRIVERS', text: 'further drivers, as --driver takes them, separated by commas' },
  { head: 'BLOCKLAYER_ERRORS', text: 'the form of errors, as --errors takes it' },
  { head: 'POSIXLY_CORRECT', text: 'if set, options end at the first operand' },
]
