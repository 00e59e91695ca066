/** The raw format. */

export type { RawCreateOptions } from './create.ts'
export { type RawOptions, raw, rawDriver } from './driver.ts'
