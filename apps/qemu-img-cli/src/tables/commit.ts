/** The table of `commit`. */

import type { CommandTable } from './command-table.ts'
import { cache, formatLetter, imageOpts, progress, quiet, rateLimit } from './shared.ts'

/** `commit` */
export const commitTable: CommandTable = {
  name: 'commit',
  summary: 'brings what an overlay holds down into an image beneath it',
  usage: '[--object objectdef] [--image-opts] [-q] [-f fmt] [-t cache] [-b base] [-r rate_limit] [-d] [-p] filename',
  output: 'ours',
  options: [
    formatLetter,
    cache,
    { letter: 'b', long10: 'base', value: 'BASE', completes: 'file', text: 'commit down to that image' },
    { letter: 'd', long10: 'drop', text: 'do not empty the image afterwards' },
    progress,
    quiet,
    rateLimit,
    imageOpts,
  ],
}
