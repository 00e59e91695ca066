export { type VdiOptions, vdiDriver } from './driver.ts'
