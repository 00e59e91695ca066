/** The table of `rebase`. */

import type { CommandTable } from './command-table.ts'
import { cache, forceShare, formatLetter, imageOpts, progress, quiet, sourceCache } from './shared.ts'

/** `rebase` */
export const rebaseTable: CommandTable = {
  name: 'rebase',
  summary: 'gives an overlay another backing file',
  usage:
    '[--object objectdef] [--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] [-u] -b backing_file [-F backing_fmt] filename',
  output: 'ours',
  progress: true,
  options: [
    formatLetter,
    { letter: 'F', value: 'BACKING_FMT', completes: 'format', text: 'format of the new backing file' },
    { letter: 'b', value: 'BACKING_FILE', completes: 'file', text: "the new backing file; '' for none" },
    { letter: 'u', text: 'change the record only' },
    progress,
    cache,
    sourceCache,
    quiet,
    imageOpts,
    forceShare,
    { long: 'compress', letter: 'c', since: '10', text: 'compress what is copied' },
  ],
}
