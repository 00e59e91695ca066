/** Where there are no files there is no rules file; rules come as options. */

import { BlockError } from '@blocklayer/block-core/driver'

/** @throws BlockError `ENOTSUP`, always */
export async function readTextFile(_filename: string): Promise<string> {
  throw BlockError.withErrno('ENOTSUP', 'Could not read blkdebug config file')
}
