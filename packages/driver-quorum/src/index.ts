/** Several copies of a disk, of which the majority is believed. */

export { createQuorumDriver, type QuorumDriverSettings, quorum, quorumDriver } from './driver.ts'
export type { EventRange, QuorumEvent, QuorumFailure, QuorumReportBad } from './events.ts'
export type { QuorumOptions } from './options.ts'
