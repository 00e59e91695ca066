/** The qcow2 format. */

export { qcow2, qcow2Driver, type Qcow2NodeOptions } from './driver.ts'
export type { Qcow2CreateOptions } from './features/create/options.ts'
export type { Qcow2Options } from './open/options.ts'
export { qcow2DataBytesMax } from './features/stream-write/data-bound.ts'
export {
  type Qcow2StreamOptions,
  type Qcow2StreamResult,
  writeQcow2Stream,
} from './features/stream-write/write-stream.ts'
