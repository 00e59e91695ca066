/** Disks that store nothing. */

export { nullAio, nullAioDriver, nullCo, nullCoDriver } from './driver.ts'
export type { NullOptions } from './options.ts'
