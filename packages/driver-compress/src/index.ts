/** Compressing writes. */

export { type CompressOptions, compress, compressDriver } from './driver.ts'
