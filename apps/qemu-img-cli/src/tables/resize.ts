/** The table of `resize`. */

import type { CommandTable } from './command-table.ts'
import { formatLetter, imageOpts, quiet } from './shared.ts'

/** `resize` */
export const resizeTable: CommandTable = {
  name: 'resize',
  summary: "makes an image's disk longer or shorter",
  usage: '[--object objectdef] [--image-opts] [-f fmt] [--preallocation=prealloc] [-q] [--shrink] filename [+ | -]size',
  output: 'ours',
  options: [
    formatLetter,
    quiet,
    imageOpts,
    {
      long: 'preallocation',
      value: 'PREALLOC',
      choices: ['off', 'metadata', 'falloc', 'full'],
      text: 'how what is added is filled',
    },
    { long: 'shrink', text: 'allow what would be cut off to be lost' },
  ],
}
