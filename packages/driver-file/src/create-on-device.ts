/** "Creating" an image on a device, which is there already: it has to be large enough, and its old format must go. */

import { BlockError, type CreateContext, Permissions } from '@blocklayer/block-core/driver'
import type { CreateSetting } from './create.ts'
import { DeviceRanges } from './device-ranges.ts'
import { requestError } from './errors.ts'
import { withoutPrefix } from './file-name.ts'
import type { HostFile } from './host-file.ts'
import type { Libc } from './libc.ts'
import { hasFileLocks, ImageLock } from './lock.ts'
import type { DeviceCreateOptions } from './options.ts'
import { resizeDevice } from './preallocate.ts'
import { openStorage, type StorageKind, storageLength } from './storage.ts'

/** Formats are told from so many bytes. */
const headBytes = 512

/** What creating on a device needs beside the options. */
export interface DeviceSetting extends CreateSetting {
  readonly kind: StorageKind
}

/**
 * Makes the device `context.filename` look empty.
 *
 * @throws BlockError where it cannot be opened, or is too small: `Cannot grow device files`
 */
export async function createOnDevice(
  context: CreateContext,
  options: DeviceCreateOptions,
  setting: DeviceSetting,
): Promise<void> {
  const { kind, libc } = setting
  const { preallocation = 'off' } = options
  if (preallocation !== 'off') throw new BlockError('ENOTSUP', `Unsupported preallocation mode '${preallocation}'`)
  const filename = withoutPrefix(context.filename, kind)
  const file = await openExisting(filename, setting)
  try {
    const length = storageLength(kind, file, libc)
    if (libc && hasFileLocks(libc, file.fd)) {
      const taken = Permissions.write | Permissions.resize
      new ImageLock(libc, file.fd, filename).update({ taken, shared: Permissions.all })
    }
    resizeDevice({ from: length, to: Number(context.size), preallocation }, false)
    await zeroHead(file, libc, Math.min(length, headBytes))
  } finally {
    await file.close()
  }
}

async function openExisting(filename: string, { kind, libc, synchronous }: DeviceSetting): Promise<HostFile> {
  try {
    return await openStorage(filename, { kind, readOnly: false, synchronous, direct: false }, libc)
  } catch (error) {
    const words = `Protocol driver '${kind}' does not support image creation, and opening the image failed: `
    throw error instanceof BlockError ? error.prepend(words) : error
  }
}

async function zeroHead(file: HostFile, libc: Libc | undefined, bytes: number): Promise<void> {
  // A character device of no length has no sector, and nothing that could be flushed.
  if (bytes === 0) return
  try {
    if (!(libc && (await isPunched(file, libc, bytes)))) await file.write(0, new Uint8Array(bytes))
    await file.datasync()
  } catch (error) {
    throw requestError(error).prepend("Failed to clear the new image's first sector: ")
  }
}

async function isPunched(file: HostFile, libc: Libc, bytes: number): Promise<boolean> {
  try {
    await new DeviceRanges(libc).punch({ fd: file.fd, offset: 0, bytes })
    return true
  } catch (error) {
    if (error instanceof BlockError && error.code === 'ENOTSUP') return false
    throw error
  }
}
