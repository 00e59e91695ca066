/** The table of `amend`. */

import type { CommandTable } from './command-table.ts'
import { cache, creationOptions, formatLetter, imageOpts, progress, quiet } from './shared.ts'

/** `amend` */
export const amendTable: CommandTable = {
  name: 'amend',
  summary: 'changes what an image was created with',
  usage: '[--object objectdef] [--image-opts] [-p] [-q] [-f fmt] [-t cache] [--force] -o options filename',
  output: 'ours',
  options: [
    creationOptions,
    formatLetter,
    cache,
    progress,
    quiet,
    imageOpts,
    { long: 'force', text: 'allow what cannot be undone (erasing a key)' },
  ],
}
