/** Options of ours, which no abbreviation matches: they make none of the reference's ambiguous. */

import type { CommandOption } from './command-table.ts'

/** How progress may be shown. */
export const progressForms = ['bar', 'text', 'json', 'none'] as const

/** `--driver`. */
export const driverOption: CommandOption = {
  long: 'driver',
  value: 'MODULE',
  exactOnly: true,
  text: 'load further drivers from a package or a file (also: BLOCKLAYER_DRIVERS=module,module)',
}

/** `--errors`. */
export const errorsOption: CommandOption = {
  long: 'errors',
  value: 'FORM',
  choices: ['text', 'json'],
  exactOnly: true,
  text: 'how errors and warnings are printed; json: one line each, with a code (also: BLOCKLAYER_ERRORS=json)',
}

/** `--progress`. */
export const progressOption: CommandOption = {
  long: 'progress',
  value: 'FORM',
  choices: progressForms,
  exactOnly: true,
  text: 'how progress is shown: bar and json on standard error, text as -p shows it',
}

/** `--output` of the commands that have none in the reference. */
export const resultOption: CommandOption = {
  long: 'output',
  value: 'OFMT',
  choices: ['human', 'json'],
  exactOnly: true,
  text: 'json: what was done, as one JSON object in place of the messages on standard output',
}

/** `--untrusted`, and the limits that go with it. */
export const untrustedOptions: readonly CommandOption[] = [
  {
    long: 'untrusted',
    exactOnly: true,
    text: 'judge images first, open nothing that they name, and refuse those that something speaks against',
  },
  { long: 'max-virtual-size', value: 'SIZE', exactOnly: true, text: 'with --untrusted: default 16T' },
  { long: 'max-memory', value: 'SIZE', exactOnly: true, text: 'with --untrusted, to judge and to open: default 256M' },
  { long: 'max-expansion', value: 'TIMES', exactOnly: true, text: 'with --untrusted, of compressed data: default 100' },
  { long: 'max-snapshots', value: 'COUNT', exactOnly: true, text: 'with --untrusted: default 256' },
  {
    long: 'timeout',
    value: 'SECONDS',
    exactOnly: true,
    text: 'with --untrusted, for all: default 60, and 60 more per GiB read',
  },
]
