/** The list of drivers that this program has; the one place that names them. */

import type { AnyDriver } from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { createFileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'

/** Files are read and written synchronously: nobody else waits for this process's event loop. */
export const builtInDrivers: readonly AnyDriver[] = [
  createFileDriver({ aio: 'sync' }),
  rawDriver,
  qcow2Driver,
  blkdebugDriver,
]
