/** The `host_device` and `host_cdrom` drivers: block and character devices of the host. */

import { closeSync, constants, openSync, statSync, type Stats } from 'node:fs'
import { type BlockDriver, defineDriver } from '@blocklayer/block-core/driver'
import { createOnDevice } from './create-on-device.ts'
import { isCdrom } from './device-calls.ts'
import type { FileDriverSettings } from './driver.ts'
import { canonicalPath, withoutPrefix } from './file-name.ts'
import { type LibcResult, nativeCalls } from './libc.ts'
import { openLayer } from './open-layer.ts'
import { type DeviceCreateOptions, deviceCreateOptions, type FileOptions, fileOptions } from './options.ts'
import type { StorageKind } from './storage.ts'

type DeviceDriver = BlockDriver<FileOptions, DeviceCreateOptions>

/** A driver for block and character devices; it claims their names before any prefix counts. */
export function createHostDeviceDriver(settings: FileDriverSettings = {}): DeviceDriver {
  return deviceDriver('host_device', settings, hostDeviceScore)
}

/** A driver for optical drives; it claims the devices that answer as such. */
export function createHostCdromDriver(settings: FileDriverSettings = {}): DeviceDriver {
  const native = () => nativeCalls(settings.nativeCalls)
  return deviceDriver('host_cdrom', settings, (filename) => cdromScore(filename, native()))
}

/** Block and character devices of the host, on Node's thread pool. */
export const hostDeviceDriver: DeviceDriver = createHostDeviceDriver()

/** Optical drives of the host, on Node's thread pool. */
export const hostCdromDriver: DeviceDriver = createHostCdromDriver()

function deviceDriver(
  kind: Exclude<StorageKind, 'file'>,
  settings: FileDriverSettings,
  probeDevice: (filename: string) => number,
): DeviceDriver {
  const aio = settings.aio ?? 'threads'
  const native = () => nativeCalls(settings.nativeCalls)
  return defineDriver<FileOptions, DeviceCreateOptions>({
    formatName: kind,
    kind: 'protocol',
    protocolName: kind,
    needsFilename: true,
    options: fileOptions,
    parseFilename: (filename) => new Map([['filename', withoutPrefix(filename, kind)]]),
    canonicalName: canonicalPath,
    probeDevice,
    create: {
      options: deviceCreateOptions,
      run: (context, options) =>
        createOnDevice(context, options, { kind, libc: native().libc, synchronous: aio === 'sync' }),
    },
    open: (context, options) => openLayer(context, options, { kind, aio, native: native() }),
  })
}

/** 100 for a device, 50 for what its name calls a drive. @see spec/block-layer.md, section 5 */
function hostDeviceScore(filename: string): number {
  // Less than `host_cdrom` gives for the same name, where a drive answers.
  if (filename.startsWith('/dev/cdrom')) return 50
  const stats = statOf(filename)
  return stats?.isBlockDevice() || stats?.isCharacterDevice() ? 100 : 0
}

function cdromScore(filename: string, { libc }: LibcResult): number {
  if (libc === undefined || !statOf(filename)?.isBlockDevice()) return 0
  let fd: number
  try {
    // O_NONBLOCK: a drive without a disc can be opened only so.
    fd = openSync(filename, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    // Who may not look does not claim the name; opening it will say why.
    if ((error as { code?: unknown }).code === undefined) throw error
    return 0
  }
  try {
    return isCdrom(libc, fd) ? 100 : 0
  } finally {
    closeSync(fd)
  }
}

function statOf(filename: string): Stats | undefined {
  if (filename.includes('\0')) return undefined
  try {
    return statSync(filename, { throwIfNoEntry: false })
  } catch (error) {
    // A name that leads nowhere is no device.
    if ((error as { code?: unknown }).code === undefined) throw error
    return undefined
  }
}
