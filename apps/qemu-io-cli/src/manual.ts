/** The texts of `--man` and `--completion`, made of the tables. */

import { completionScript, type ManualEntry, manPage, type Shell } from '@blocklayer/command-line'
import { type Command, commands } from '@blocklayer/qemu-io'
import manifest from '../package.json' with { type: 'json' }
import { builtInDrivers } from './drivers.ts'
import { programOptions } from './program-options.ts'

const summary = 'exercises a disk image by single requests'

/** Completion for a shell. */
export function completionText(shell: Shell, programName: string): string {
  const formats = builtInDrivers().map(({ formatName }) => formatName)
  return completionScript(shell, { name: programName, options: programOptions, formats })
}

/** The manual, in troff. */
export function manText(programName: string): string {
  return manPage({
    name: programName,
    version: manifest.version,
    summary,
    synopsis: '[OPTIONS]... [-c STRING]... [file]',
    description: [
      'Opens a disk image and runs commands on it, one request each: from the command line where -c is given, else from ' +
        'standard input. Commands, output and exit status are those of qemu-io 7.2.',
      'A command line is split at blanks; there is no quoting. Numbers are bytes, decimal or hexadecimal, with a suffix ' +
        'k, M, G, T, P or E for powers of 1024.',
    ],
    options: programOptions,
    sections: [
      { title: 'Commands', entries: commands.map(commandEntry) },
      {
        title: 'Exit status',
        entries: [
          { head: '0', text: 'every command succeeded' },
          { head: '1', text: 'one did not, or the image could not be opened' },
        ],
      },
    ],
  })
}

function commandEntry({ name, alias, synopsis = '', summary: text, details, options = [] }: Command): ManualEntry {
  const also = alias === undefined ? '' : ` (${alias})`
  return {
    head: `${name}${also} ${synopsis}`.trimEnd(),
    text: details === undefined ? text : `${text}. ${details}`,
    options: options.map(({ letter, value, text: what }) => ({
      head: value === undefined ? `-${letter}` : `-${letter} ${value}`,
      text: what,
    })),
  }
}
