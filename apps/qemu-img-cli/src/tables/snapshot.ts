/** The table of `snapshot`. */

import type { CommandTable } from './command-table.ts'
import { forceShare, imageOpts, quiet } from './shared.ts'

/** `snapshot` */
export const snapshotTable: CommandTable = {
  name: 'snapshot',
  summary: 'lists, makes, applies and deletes internal snapshots',
  usage: '[--object objectdef] [--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename',
  output: 'ours',
  options: [
    { letter: 'l', text: 'list the snapshots' },
    { letter: 'a', value: 'SNAPSHOT', text: 'return to one' },
    { letter: 'c', value: 'SNAPSHOT', text: 'make one' },
    { letter: 'd', value: 'SNAPSHOT', text: 'delete one' },
    quiet,
    imageOpts,
    forceShare,
  ],
}
