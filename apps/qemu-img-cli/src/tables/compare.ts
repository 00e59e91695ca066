/** The table of `compare`. */

import { compareExit } from '../exit-codes.ts'
import type { CommandTable } from './command-table.ts'
import { forceShare, formatLetter, imageOpts, progress, quiet, sourceCache } from './shared.ts'

/** `compare` */
export const compareTable: CommandTable = {
  name: 'compare',
  summary: 'tells whether two images hold the same content',
  usage: '[--object objectdef] [--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2',
  untrusted: true,
  output: 'ours',
  objectExitCode: compareExit.openFailed,
  options: [
    { ...formatLetter, long10: 'a-format', text: 'format of the first image; probed where it is not given' },
    {
      ...formatLetter,
      letter: 'F',
      long10: 'b-format',
      text: 'format of the second image; probed where it is not given',
    },
    sourceCache,
    progress,
    quiet,
    { letter: 's', long10: 'strict', text: 'different sizes or allocation count as a difference too' },
    imageOpts,
    forceShare,
  ],
}
