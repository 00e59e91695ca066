/** The list of drivers that this program has; the one place that names them. */

import type { AnyDriver } from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { blklogwritesDriver } from '@blocklayer/driver-blklogwrites'
import { blkverifyDriver } from '@blocklayer/driver-blkverify'
import { compressDriver } from '@blocklayer/driver-compress'
import { copyOnReadDriver } from '@blocklayer/driver-copy-on-read'
import { createFileDriver, createHostCdromDriver, createHostDeviceDriver } from '@blocklayer/driver-file'
import { nullAioDriver, nullCoDriver } from '@blocklayer/driver-null'
import { preallocateDriver } from '@blocklayer/driver-preallocate'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { quorumDriver } from '@blocklayer/driver-quorum'
import { rawDriver } from '@blocklayer/driver-raw'
import { createThrottleDriver, type ThrottleGroups } from '@blocklayer/driver-throttle'

/**
 * Files are read and written synchronously: nobody else waits for this process's event loop.
 *
 * @param throttleGroups - those that images can name
 */
export function builtInDrivers(throttleGroups: ThrottleGroups): readonly AnyDriver[] {
  return [
    createFileDriver({ aio: 'sync' }),
    // The first one wins where both claim a name: a drive for discs is a device, too.
    createHostCdromDriver({ aio: 'sync' }),
    createHostDeviceDriver({ aio: 'sync' }),
    rawDriver,
    qcow2Driver,
    blkdebugDriver,
    copyOnReadDriver,
    compressDriver,
    preallocateDriver,
    createThrottleDriver({ groups: throttleGroups }),
    nullCoDriver,
    nullAioDriver,
    blkverifyDriver,
    blklogwritesDriver,
    quorumDriver,
  ]
}
