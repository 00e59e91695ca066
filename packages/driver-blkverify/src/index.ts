/** Two copies of a disk that must never differ. */

export { blkverify, blkverifyDriver } from './driver.ts'
export type { BlkverifyOptions } from './options.ts'
