/** The qcow2 format. */

export { qcow2, qcow2Driver, type Qcow2NodeOptions } from './driver.ts'
export type { Qcow2CreateOptions } from './features/create/options.ts'
export type { Qcow2Options } from './open/options.ts'
