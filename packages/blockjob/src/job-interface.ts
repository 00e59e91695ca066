/** A background job as its owner sees it. */

import type { JobProgress } from '@blocklayer/block-core'
import type { JobType } from './job-events.ts'
import type { JobStatus } from './job-states.ts'

/** How a block job's last request went. */
export type IoStatus = 'ok' | 'failed' | 'nospace'

/** What `query-block-jobs` says about a job. */
export interface JobInfo {
  readonly type: JobType
  /** The job's id. */
  readonly device: string
  /** Total and current progress in bytes. */
  readonly len: number
  readonly offset: number
  /** At work or about to be; false while it sleeps or is paused. */
  readonly busy: boolean
  /** Somebody asked it to pause; it may still be finishing a step. */
  readonly paused: boolean
  /** Bytes per second, 0: unlimited. */
  readonly speed: number
  readonly ioStatus: IoStatus
  readonly ready: boolean
  readonly status: JobStatus
  readonly autoFinalize: boolean
  readonly autoDismiss: boolean
  /** Only of a job that failed. */
  readonly error?: string
}

/**
 * A running job. Every command is refused with `EPERM` `Job '<id>' in state '<state>' cannot accept command verb
 * '<verb>'` in a state that does not take it.
 *
 * @see spec/jobs.md, sections 1 to 12
 */
export interface Job {
  readonly id: string
  readonly type: JobType
  readonly status: JobStatus
  /** Bytes; `total` may grow while the job runs. */
  readonly progress: JobProgress
  /** May be completed: the copy is in sync. Commits of an image that is not the active layer never are. */
  readonly ready: boolean
  /** Why the job failed; `undefined` while it has not. */
  readonly error: Error | undefined
  /**
   * Resolves when the job has begun to run. Rejects with the error that kept it from being set up (images that cannot
   * be reopened, permissions): nothing has been changed then.
   */
  readonly started: Promise<void>
  /** Resolves at the job's end. Rejects with the `BlockError` that ended it, or with `signal.reason` when aborted. */
  readonly done: Promise<void>
  /** Resolves when the job is ready or has ended, whichever comes first; `done` tells how it ended. */
  whenReady(): Promise<void>
  /** Resolves when the job stands still (`paused`, `standby`) or has ended. @throws BlockError `Job is already paused` */
  pause(): Promise<void>
  /** @throws BlockError `Can't resume a job that was not paused` */
  resume(): void
  /**
   * Asks a ready mirror or active commit to pivot; resolves when the request is taken.
   *
   * @throws BlockError `EBUSY` `The active block job '…' cannot be completed`
   */
  complete(): Promise<void>
  /**
   * Completes a ready job and waits for its end. For a job that has ended before it is the same as `done`.
   *
   * @throws BlockError the job's error, or `EBUSY` where the job cannot be completed now
   */
  completeSync(): Promise<void>
  /**
   * Asks the job to stop; resolves when the request is taken.
   *
   * @param options - `force`: give up at once. Otherwise a ready mirror or active commit ends well, in sync and
   *   without a pivot, and a job that waits for `finalize` goes on waiting; in every other state it is the same as with
   *   force
   * @throws BlockError `The block job for device '…' is currently paused`, without force
   */
  cancel(options?: { readonly force?: boolean }): Promise<void>
  /** Cancels and waits until the job has ended, however long that takes; how it ended is in `error`. */
  cancelSync(options?: { readonly force?: boolean }): Promise<void>
  /** @param bytesPerSecond - 0: unlimited. @throws BlockError `Parameter 'speed' expects a non-negative value` */
  setSpeed(bytesPerSecond: number): void
  /** Lets a job without automatic finalization take effect. */
  finalize(): void
  /** Forgets a job without automatic dismissal. */
  dismiss(): void
  info(): JobInfo
}
