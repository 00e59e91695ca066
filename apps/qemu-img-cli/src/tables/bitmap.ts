/** The table of `bitmap`. */

import type { CommandTable } from './command-table.ts'
import { formatLetter, imageOpts } from './shared.ts'

/** `bitmap` */
export const bitmapTable: CommandTable = {
  name: 'bitmap',
  summary: 'changes a persistent dirty bitmap of an image',
  usage:
    '(--merge SOURCE | --add | --remove | --clear | --enable | --disable)... [-b source_file [-F source_fmt]] [-g granularity] [--object objectdef] [--image-opts | -f fmt] filename bitmap',
  output: 'ours',
  options: [
    formatLetter,
    imageOpts,
    { long: 'add', text: 'make the bitmap' },
    { long: 'remove', text: 'delete it' },
    { long: 'clear', text: 'mark everything clean' },
    { long: 'enable', text: 'have it follow writes' },
    { long: 'disable', text: 'have it stand still' },
    { long: 'merge', value: 'SOURCE', text: 'mark what the bitmap SOURCE marks' },
    { long: 'granularity', letter: 'g', value: 'SIZE', text: 'bytes per bit of a new bitmap' },
    { long: 'source-file', letter: 'b', value: 'FILE', completes: 'file', text: 'image that SOURCE is in' },
    { long: 'source-format', letter: 'F', value: 'FMT', completes: 'format', text: 'format of that image' },
  ],
}
