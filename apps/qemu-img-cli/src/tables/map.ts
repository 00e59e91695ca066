/** The table of `map`. */

import type { CommandTable } from './command-table.ts'
import { forceShare, format, imageOpts, output } from './shared.ts'

/** `map` */
export const mapTable: CommandTable = {
  name: 'map',
  summary: 'tells where each part of a disk comes from',
  usage:
    '[--object objectdef] [--image-opts] [-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename',
  untrusted: true,
  output: 'reference',
  options: [
    format,
    { ...output, choices: ['human', 'json', 'svg', 'html'] },
    imageOpts,
    forceShare,
    { long: 'start-offset', letter: 's', value: 'OFFSET', text: 'where to begin' },
    { long: 'max-length', letter: 'l', value: 'LEN', text: 'how far to go' },
  ],
}
