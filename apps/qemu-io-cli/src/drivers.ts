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
import type { AioChoice } from '@blocklayer/qemu-io'

/**
 * @param aio - how files are read and written; on threads by default, so that requests run beside each other
 * @param throttleGroups - those that images can name
 */
export function builtInDrivers(
  aio: AioChoice = 'threads',
  throttleGroups: ThrottleGroups = new Map(),
): readonly AnyDriver[] {
  return [
    createFileDriver({ aio }),
    // The first one wins where both claim a name: a drive for discs is a device, too.
    createHostCdromDriver({ aio }),
    createHostDeviceDriver({ aio }),
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
