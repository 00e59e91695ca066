/** The table of `bench`. */

import type { CommandTable } from './command-table.ts'
import { cache, forceShare, formatLetter, imageOpts, quiet } from './shared.ts'

/** `bench` */
export const benchTable: CommandTable = {
  name: 'bench',
  summary: 'times reads or writes of an image',
  usage:
    '[-c count] [-d depth] [-f fmt] [--flush-interval=flush_interval] [-i aio] [-n] [--no-drain] [-o offset] [--pattern=pattern] [-q] [-s buffer_size] [-S step_size] [-t cache] [-w] [-U] filename',
  output: 'ours',
  withoutObjects: true,
  options: [
    { letter: 'c', long10: 'count', value: 'COUNT', text: 'number of requests; 75000 where it is not given' },
    { letter: 'd', long10: 'depth', value: 'DEPTH', text: 'requests at once; 64 where it is not given' },
    formatLetter,
    { letter: 'n', long10: 'native', text: 'like -i native' },
    {
      letter: 'i',
      long10: 'aio',
      value: 'AIO',
      choices: ['threads', 'native', 'io_uring'],
      text: 'how files are read and written',
    },
    { letter: 'o', long10: 'offset', value: 'OFFSET', text: 'where the first request begins' },
    quiet,
    {
      letter: 's',
      long10: 'buffer-size',
      value: 'BUFFER_SIZE',
      text: 'bytes of a request; 4096 where it is not given',
    },
    { letter: 'S', long10: 'step-size', value: 'STEP_SIZE', text: 'bytes between the starts of two requests' },
    cache,
    { letter: 'w', long10: 'write', text: 'write over what the image holds' },
    { long: 'flush-interval', value: 'COUNT', text: 'flush after so many writes' },
    imageOpts,
    { long: 'pattern', value: 'BYTE', text: 'what is written' },
    { long: 'no-drain', text: 'do not wait for requests before a flush' },
    forceShare,
  ],
}
