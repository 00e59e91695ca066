/** The table of `dd`. */

import type { CommandTable } from './command-table.ts'
import { forceShare, formatLetter, imageOpts } from './shared.ts'

/** `dd` */
export const ddTable: CommandTable = {
  name: 'dd',
  summary: 'copies a run of blocks into a new image, as data',
  usage: '[--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] [skip=blocks] if=input of=output',
  output: 'ours',
  words: ['if=', 'of=', 'bs=', 'count=', 'skip='],
  options: [
    { ...formatLetter, text: 'format of the input; probed where it is not given' },
    {
      letter: 'O',
      long10: 'output-format',
      value: 'OUTPUT_FMT',
      completes: 'format',
      text: 'format of the output; raw where it is not given',
    },
    imageOpts,
    forceShare,
  ],
}
