/** What a job tells whoever listens, in the order in which QMP would send it. */

import type { JobStatus } from './job-states.ts'

/** Kinds of jobs. An active commit says `commit`. @see QEMU 7.2 qapi/job.json: JobType */
export type JobType = 'commit' | 'stream' | 'mirror' | 'backup' | 'create' | 'amend'

/** Which side of a copy failed; a flush counts as a write. */
export type IoOperation = 'read' | 'write'

/** What was decided about a failed request. */
export type ErrorAction = 'report' | 'ignore' | 'stop'

/** State of a block job as its events show it; `device` is the job's id. */
export interface BlockJobEventData {
  readonly type: JobType
  readonly device: string
  /** Total and current progress in bytes. */
  readonly len: number
  readonly offset: number
  /** Bytes per second, 0: unlimited. */
  readonly speed: number
}

/** One event. @see QEMU 7.2 qapi/job.json, qapi/block-core.json */
export type JobEvent =
  | { readonly event: 'JOB_STATUS_CHANGE'; readonly data: { readonly id: string; readonly status: JobStatus } }
  | { readonly event: 'BLOCK_JOB_READY'; readonly data: BlockJobEventData }
  | { readonly event: 'BLOCK_JOB_PENDING'; readonly data: { readonly type: JobType; readonly id: string } }
  | { readonly event: 'BLOCK_JOB_COMPLETED'; readonly data: BlockJobEventData & { readonly error?: string } }
  | { readonly event: 'BLOCK_JOB_CANCELLED'; readonly data: BlockJobEventData }
  | {
      readonly event: 'BLOCK_JOB_ERROR'
      readonly data: { readonly device: string; readonly operation: IoOperation; readonly action: ErrorAction }
    }
