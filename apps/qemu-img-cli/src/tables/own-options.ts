/** Options of ours, which no abbreviation matches: they make none of the reference's ambiguous. */

import type { CommandOption } from './command-table.ts'

/** `--driver`. */
export const driverOption: CommandOption = {
  long: 'driver',
  value: 'MODULE',
  exactOnly: true,
  text: 'load further drivers from a package or a file (also: BLOCKLAYER_DRIVERS=module,module)',
}
