/** The table of `create`. */

import type { CommandTable } from './command-table.ts'
import { backingFormat, backingFormat10, creationOptions, formatLetter, quiet } from './shared.ts'

/** `create` */
export const createTable: CommandTable = {
  name: 'create',
  summary: 'makes a new image',
  usage: '[--object objectdef] [-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]',
  output: 'ours',
  options: [
    backingFormat,
    backingFormat10,
    {
      letter: 'b',
      long10: 'backing',
      value: 'BACKING_FILE',
      completes: 'file',
      text: 'backing file; the size is its size',
    },
    { ...formatLetter, text: 'format of the image; raw where it is not given' },
    creationOptions,
    quiet,
    { letter: 'u', long10: 'backing-unsafe', text: 'do not open the backing file' },
  ],
}
