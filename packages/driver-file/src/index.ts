/** Files and devices of the host as block nodes. */

export {
  createHostCdromDriver,
  createHostDeviceDriver,
  hostCdromDriver,
  hostDeviceDriver,
} from './device-driver.ts'
export { createFileDriver, type FileDriverSettings, file, fileDriver } from './driver.ts'
export type { LockHolder } from './lock-holders.ts'
export { descriptorMover, type MoveDescriptor } from './move-descriptor.ts'
export type { AioMode, DeviceCreateOptions, FileCreateOptions, FileOptions } from './options.ts'
