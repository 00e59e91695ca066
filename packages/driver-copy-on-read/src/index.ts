/** Keeping what was read. */

export { type CopyOnReadOptions, copyOnRead, copyOnReadDriver } from './driver.ts'
