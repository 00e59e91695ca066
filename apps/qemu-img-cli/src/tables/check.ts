/** The table of `check`. */

import type { CommandTable } from './command-table.ts'
import { forceShare, format, imageOpts, output, quiet, sourceCache } from './shared.ts'

/** `check` */
export const checkTable: CommandTable = {
  name: 'check',
  summary: "looks for damage in an image's metadata, and mends it on request",
  usage:
    '[--object objectdef] [--image-opts] [-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] [-T src_cache] [-U] filename',
  untrusted: true,
  output: 'reference',
  options: [
    format,
    { long: 'repair', letter: 'r', value: 'WHAT', choices: ['leaks', 'all'], text: 'mend what is found' },
    output,
    imageOpts,
    forceShare,
    sourceCache,
    quiet,
  ],
}
