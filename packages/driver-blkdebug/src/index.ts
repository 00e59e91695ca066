/** Errors on purpose, for tests. */

export { blkdebug, blkdebugDriver } from './driver.ts'
export type { BlkdebugOptions } from './options.ts'
