/** What a kind of job brings along; the life of the job decides when each step runs. */

/** Steps of a job. Only `run` must be there. @see QEMU 7.2 include/qemu/job.h: JobDriver */
export interface JobHooks {
  /** Before the job exists for others: images, permissions. A failure undoes itself; the job then never was. */
  setup?(): Promise<void>
  /** The work; a rejection fails the job. Looks at `isForceCancelled` and the pause point between its steps. */
  run(): Promise<void>
  /** Before the job stands still: waits for what is under way. */
  pause?(): Promise<void>
  /** The job is to pivot once it is in sync. */
  complete?(): void
  /** @returns whether the cancel is by force; without this hook every cancel is */
  cancel?(force: boolean): boolean
  /** Makes the result take effect; may still fail. */
  prepare?(): Promise<void>
  /** Undoes what must not outlive a failed or cancelled job. */
  abort?(): Promise<void>
  /** Lets go of everything, after `prepare` or `abort`. */
  clean?(): Promise<void>
}
