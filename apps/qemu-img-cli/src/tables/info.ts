/** The table of `info`. */

import type { CommandTable } from './command-table.ts'
import { forceShare, format, imageOpts, output } from './shared.ts'

/** `info` */
export const infoTable: CommandTable = {
  name: 'info',
  summary: 'tells what an image, or every image of a chain, says about itself',
  usage: '[--object objectdef] [--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] filename',
  untrusted: true,
  output: 'reference',
  options: [
    format,
    { ...output, choices: ['human', 'json', 'html'] },
    { long: 'backing-chain', text: 'all images of the chain' },
    imageOpts,
    { long: 'limits', exactOnly: true, text: 'what images ask of requests' },
    forceShare,
  ],
}
