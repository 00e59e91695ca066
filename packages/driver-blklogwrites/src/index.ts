/** A journal of all writes to a disk, and a reader for it. */

export { blklogwrites, blklogwritesDriver, type BlklogwritesOptions } from './driver.ts'
export { type Log, type LogEntry, type ReplayTarget, readLog, replayEntry } from './read-log.ts'
export type { LogSource } from './walk-log.ts'
