/** The table of `snapshot`. */

import type { CommandTable } from './command-table.ts'
import { forceShare, format, imageOpts, quiet } from './shared.ts'

/** `snapshot` */
export const snapshotTable: CommandTable = {
  name: 'snapshot',
  summary: 'lists, makes, applies and deletes internal snapshots',
  usage: '[--object objectdef] [--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename',
  output: 'ours',
  options: [
    { letter: 'l', long10: 'list', text: 'list the snapshots' },
    { letter: 'a', long10: 'apply', value: 'SNAPSHOT', text: 'return to one' },
    { letter: 'c', long10: 'create', value: 'SNAPSHOT', text: 'make one' },
    { letter: 'd', long10: 'delete', value: 'SNAPSHOT', text: 'delete one' },
    { ...format, since: '10' },
    quiet,
    imageOpts,
    forceShare,
  ],
}
