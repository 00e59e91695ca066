/** The slab format. */

export type { SlabCreateOptions } from './create.ts'
export { type SlabOptions, slab, slabDriver } from './driver.ts'
