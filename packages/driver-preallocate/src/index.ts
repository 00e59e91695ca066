/** Growing a file ahead of the writes. */

export { preallocate, preallocateDriver } from './driver.ts'
export type { PreallocateOptions } from './options.ts'
