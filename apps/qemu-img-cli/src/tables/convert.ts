/** The table of `convert`. */

import type { CommandTable } from './command-table.ts'
import {
  cache,
  creationOptions,
  forceShare,
  formatLetter,
  imageOpts,
  progress,
  quiet,
  rateLimit,
  sourceCache,
} from './shared.ts'

/** `convert` */
export const convertTable: CommandTable = {
  name: 'convert',
  summary: 'copies images into a new image, or into one that exists',
  usage:
    '[--object objectdef] [--image-opts] [--target-image-opts] [--target-is-zero] [--bitmaps] [-U] [-C] [-c] [-p] [-q] [-n] [-f fmt] [-t cache] [-T src_cache] [-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] [-r rate_limit] [-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] output_filename',
  untrusted: true,
  output: 'ours',
  options: [
    { ...formatLetter, long10: 'source-format', text: 'format of the sources; probed where it is not given' },
    {
      letter: 'O',
      long10: 'target-format',
      value: 'OUTPUT_FMT',
      completes: 'format',
      text: 'format of the target; raw where it is not given',
    },
    { letter: 'B', long10: 'backing', value: 'BACKING_FILE', completes: 'file', text: 'backing file of the target' },
    { letter: 'b', since: '10', means: 'B', value: 'BACKING_FILE', completes: 'file', text: 'the same as -B' },
    { letter: 'C', long10: 'copy-range-offloading', text: 'ask the kernel to copy' },
    { letter: 'c', long10: 'compress', text: 'compress the target' },
    {
      letter: 'F',
      long10: 'backing-format',
      value: 'BACKING_FMT',
      completes: 'format',
      text: 'format of the backing file',
    },
    { ...creationOptions, long10: 'target-format-options' },
    { letter: 'l', long10: 'snapshot', value: 'SNAPSHOT', text: 'read an internal snapshot of the source' },
    {
      letter: 'S',
      long10: 'sparse-size',
      value: 'SPARSE_SIZE',
      text: 'shortest run of zeroes that is left out; 0: none is',
    },
    progress,
    { ...cache, long10: 'target-cache', text: 'cache mode of the target; unsafe where it is not given' },
    { ...sourceCache, long10: 'source-cache' },
    quiet,
    { letter: 'n', long10: 'no-create', text: 'write into a target that exists' },
    { letter: 'm', long10: 'parallel', value: 'NUMBER', text: 'requests at once, 1 to 16; 8 where it is not given' },
    { letter: 'W', long10: 'oob-writes', text: 'write in any order' },
    rateLimit,
    imageOpts,
    forceShare,
    { long: 'target-image-opts', text: 'the target is a list of options; with -n' },
    { long: 'salvage', text: 'carry on where the source cannot be read' },
    { long: 'target-is-zero', text: 'the target reads as zeroes already; with -n' },
    { long: 'bitmaps', text: 'take persistent bitmaps along' },
    { long: 'skip-broken-bitmaps', text: 'leave out inconsistent bitmaps, with a warning' },
    { long: 'reproducible', exactOnly: true, text: 'the same input gives the same bytes, with -W too' },
  ],
}
