/** Which reference the program speaks like, where its releases differ. */

import { Failure } from './failure.ts'

/** `7.2`: QEMU as Debian 12 ships it; `10`: QEMU 10. */
export type Compat = '7.2' | '10'

/**
 * Reads `BLOCKLAYER_COMPAT`; 7.2 where it is not set.
 *
 * @throws Failure for another release
 */
export function parseCompat(text: string | undefined): Compat {
  if (text === undefined || text === '' || text === '7.2') return '7.2'
  if (text === '10') return '10'
  throw new Failure(`BLOCKLAYER_COMPAT must be 7.2 or 10, not '${text}'`)
}
