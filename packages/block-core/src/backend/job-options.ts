/** What everything long takes: a way to stop it and a way to watch it. */

/** Work done and work known so far; `total` may grow while a job runs. */
export interface JobProgress {
  readonly current: number
  readonly total: number
}

/** Options of a long operation. */
export interface JobOptions {
  /** Aborting rejects with `signal.reason`; the image then still passes a check. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: JobProgress) => void) | undefined
}
