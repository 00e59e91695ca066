/** The texts of `--help` and `--version`, made of the tables. */

import { optionHelp } from '@blocklayer/command-line'
import manifest from '../package.json' with { type: 'json' }
import { programOptions } from './program-options.ts'

/** The reference whose behaviour this is, for scripts that compare versions. */
const referenceVersion = '7.2.22'

/** What `--version` prints: the reference's version first, where scripts look for it. */
export function versionText(): string {
  return (
    `qemu-io version ${referenceVersion} (Blocklayer ${manifest.version})\n` +
    'Copyright (c) 2026 The Blocklayer developers\n'
  )
}

/** What `--help` prints, and what wrong usage gets. */
export function helpText(programName: string): string {
  return [
    `Usage: ${programName} [OPTIONS]... [-c STRING]... [file]\n`,
    'Exercises a disk image by single requests\n\n',
    optionHelp(programOptions),
    `\nSee '${programName} -c help' for information on available commands.\n`,
  ].join('')
}
