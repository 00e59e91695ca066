/** The table of `measure`. */

import type { CommandTable } from './command-table.ts'
import { creationOptions, forceShare, formatLetter, imageOpts, output } from './shared.ts'

/** `measure` */
export const measureTable: CommandTable = {
  name: 'measure',
  summary: 'tells how large a new image would be',
  usage:
    '[--output=ofmt] [-O output_fmt] [-o options] [--size N | [--object objectdef] [--image-opts] [-f fmt] [-l snapshot_param] filename]',
  untrusted: true,
  output: 'reference',
  helpOnError: true,
  options: [
    formatLetter,
    {
      letter: 'O',
      long10: 'target-format',
      value: 'OUTPUT_FMT',
      completes: 'format',
      text: 'format of the new image; raw where it is not given',
    },
    creationOptions,
    { letter: 'l', long10: 'snapshot', value: 'SNAPSHOT', text: 'measure an internal snapshot' },
    imageOpts,
    output,
    { long: 'size', value: 'N', text: 'length of an empty disk, in place of a file' },
    { letter: 's', since: '10', means: 'size', value: 'N', text: 'the same as --size' },
    forceShare,
  ],
}
