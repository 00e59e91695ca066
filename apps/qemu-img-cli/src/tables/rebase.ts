/** The table of `rebase`. */

import type { CommandTable } from './command-table.ts'
import {
  backingFormat,
  backingFormat10,
  cache,
  forceShare,
  formatLetter,
  imageOpts,
  progress,
  quiet,
  sourceCache,
} from './shared.ts'

/** `rebase` */
export const rebaseTable: CommandTable = {
  name: 'rebase',
  summary: 'gives an overlay another backing file',
  usage:
    '[--object objectdef] [--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] [-u] -b backing_file [-F backing_fmt] filename',
  output: 'ours',
  options: [
    formatLetter,
    backingFormat,
    backingFormat10,
    {
      letter: 'b',
      long10: 'backing',
      value: 'BACKING_FILE',
      completes: 'file',
      text: "the new backing file; '' for none",
    },
    { letter: 'u', long10: 'backing-unsafe', text: 'change the record only' },
    progress,
    cache,
    { ...sourceCache, long10: 'backing-cache' },
    quiet,
    imageOpts,
    forceShare,
    { long: 'compress', letter: 'c', since: '10', text: 'compress what is copied' },
  ],
}
