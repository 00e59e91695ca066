/** Host files as block nodes. */

export { createFileDriver, type FileDriverSettings, file, fileDriver } from './driver.ts'
export type { AioMode, FileCreateOptions, FileOptions } from './options.ts'
