/** A job's life: states, commands, pause points, and the steps from its first line to its last event. */

import { assert, BlockError, type JobProgress } from '@blocklayer/block-core'
import type { JobClock } from './clock.ts'
import type { JobEvent, JobType } from './job-events.ts'
import type { JobHooks } from './job-hooks.ts'
import type { JobList } from './job-list.ts'
import type { Job, JobInfo } from './job-interface.ts'
import { acceptsVerb, isCompletedStatus, isReadyStatus, type JobStatus, type JobVerb, mayFollow } from './job-states.ts'
import { ProgressMeter } from './progress.ts'
import { sliceLength } from './rate-limit.ts'
import { Parking, Watchers } from './waiting.ts'

/** What every job is made with. */
export interface JobSettings {
  readonly id: string
  readonly type: JobType
  readonly list: JobList
  readonly clock: JobClock
  /** `false`: wait in `pending` for `finalize`. */
  readonly autoFinalize: boolean
  /** `false`: stay listed in `concluded` until `dismiss`. */
  readonly autoDismiss: boolean
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: JobProgress) => void) | undefined
  readonly onEvent: ((event: JobEvent) => void) | undefined
}

/**
 * What all jobs have in common. The hooks do the work; this class decides when each of them runs.
 *
 * @see spec/jobs.md, sections 1 to 12; QEMU 7.2 job.c
 */
export abstract class JobBase implements Job {
  readonly id: string
  readonly type: JobType
  readonly meter: ProgressMeter
  protected readonly settings: JobSettings
  #hooks: JobHooks | undefined
  #status: JobStatus | undefined
  #error: Error | undefined
  #begun = false
  /** Reasons to stand still; the first one is that the job has not been started. */
  #pauseCount = 1
  #userPaused = false
  #paused = false
  #cancelRequested = false
  #forceCancelled = false
  #finalizing = false
  /** Set once the caller's signal has stopped the job. */
  #aborted = false
  /** What a forced cancel ends the job with, once it does. */
  #cancellation: BlockError | undefined
  #lastSleep: number
  readonly #parking: Parking
  readonly #watchers: Watchers = new Watchers()
  #life: Promise<void> = Promise.resolve()
  readonly #onAbort = (): void => this.#abort()

  /** @throws BlockError for an id that is invalid or in use */
  constructor(settings: JobSettings) {
    this.settings = settings
    this.id = settings.id
    this.type = settings.type
    this.meter = new ProgressMeter(settings.onProgress)
    this.#parking = new Parking(settings.clock)
    this.#lastSleep = settings.clock.now()
    settings.list.add(this)
    this.#transition('created')
  }

  get status(): JobStatus {
    return this.#status ?? 'created'
  }

  get progress(): JobProgress {
    return this.meter.snapshot
  }

  get ready(): boolean {
    return isReadyStatus(this.status)
  }

  get error(): Error | undefined {
    return this.#error
  }

  get started(): Promise<void> {
    return this.#watchers
      .until(() => this.#begun || this.#status === 'null')
      .then(() => {
        if (!this.#begun) this.#throwError()
      })
  }

  get done(): Promise<void> {
    return this.#life.then(() => this.#throwError())
  }

  whenReady(): Promise<void> {
    return this.#watchers.until(() => this.ready || isCompletedStatus(this.status))
  }

  abstract setSpeed(bytesPerSecond: number): void
  abstract info(): JobInfo
  protected abstract onReady(): void
  protected abstract onPending(): void
  protected abstract onEnd(outcome: { readonly cancelled: boolean; readonly error: Error | undefined }): void
  protected abstract onUserResume(): void

  // ── For the owner ──

  async pause(): Promise<void> {
    this.checkVerb('pause')
    if (this.#userPaused) throw new BlockError('EBUSY', 'Job is already paused')
    this.pauseForUser()
    await this.#watchers.until(() => !this.#userPaused || this.#paused || isCompletedStatus(this.status))
  }

  resume(): void {
    // The reference asks this before it looks at the state (spec/jobs.md, section 3).
    if (!this.#userPaused) throw new BlockError('EPERM', "Can't resume a job that was not paused")
    this.checkVerb('resume')
    this.#endUserPause()
  }

  async complete(): Promise<void> {
    this.checkVerb('complete')
    if (this.#hooks?.complete === undefined || this.#cancelRequested) {
      throw new BlockError('EBUSY', `The active block job '${this.id}' cannot be completed`)
    }
    this.#hooks.complete()
    this.enter()
  }

  async completeSync(): Promise<void> {
    if (!isCompletedStatus(this.status)) {
      try {
        await this.complete()
      } catch (error) {
        if (!(error instanceof BlockError)) throw error
        throw new BlockError('EBUSY', error.message, { cause: error })
      }
    }
    // A job that waits for `finalize` is as complete as it gets by itself.
    if (!this.settings.autoFinalize) await this.#watchers.until(() => isCompletedStatus(this.status))
    if (this.status !== 'pending') await this.done
  }

  async cancel(options: { readonly force?: boolean } = {}): Promise<void> {
    const force = options.force ?? false
    if (!force && this.#userPaused) {
      throw new BlockError('EBUSY', `The block job for device '${this.id}' is currently paused`)
    }
    this.checkVerb('cancel')
    this.#requestCancel(force)
  }

  async cancelSync(options: { readonly force?: boolean } = {}): Promise<void> {
    await this.cancel(options)
    await this.#life
  }

  finalize(): void {
    this.checkVerb('finalize')
    this.#finalizing = true
    this.enter()
  }

  dismiss(): void {
    this.checkVerb('dismiss')
    this.#forget()
  }

  // ── For the job's own code ──

  /** Starts the job; `hooks.setup` comes first. Called once. */
  start(hooks: JobHooks): void {
    assert(this.#hooks === undefined, 'a job is started once')
    this.#hooks = hooks
    const { signal } = this.settings
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#onAbort)
    this.#life = this.#live(hooks)
  }

  /** A reason to stop at once; the job's code looks at it between steps. */
  get isForceCancelled(): boolean {
    return this.#forceCancelled
  }

  /** A ready job is asked to end well, without its effect. */
  get isSoftCancelled(): boolean {
    return this.#cancelRequested && !this.#forceCancelled
  }

  get shouldPause(): boolean {
    return this.#pauseCount > 0 && !this.#forceCancelled
  }

  protected get isUserPaused(): boolean {
    return this.#userPaused
  }

  protected get isBusy(): boolean {
    return this.#begun && !this.#paused && !this.#parking.isOccupied && !isCompletedStatus(this.status)
  }

  /** Stands still while somebody wants it to. Ends at once for a job that is cancelled by force. */
  async pausePoint(): Promise<void> {
    if (!this.shouldPause) return
    await this.#hooks?.pause?.()
    if (!this.shouldPause) return
    const before = this.status
    this.#paused = true
    this.#transition(before === 'ready' ? 'standby' : 'paused')
    while (this.shouldPause) await this.#parking.park()
    this.#paused = false
    this.#transition(before)
  }

  /** Waits, but no longer than until `enter`; then follows a pause point. */
  async sleep(milliseconds: number): Promise<void> {
    if (!this.#forceCancelled && !this.shouldPause) await this.#parking.park(milliseconds)
    this.#lastSleep = this.settings.clock.now()
    await this.pausePoint()
  }

  /** The job has worked for 100 ms on end: others that share the thread should have their turn (`sleep(0)`). */
  get sliceOver(): boolean {
    return this.settings.clock.now() - this.#lastSleep >= sliceLength
  }

  /** Ends a sleep early, so that the job sees what has changed. */
  enter(): void {
    this.#parking.wake()
  }

  /** The copy is in sync. */
  becomeReady(): void {
    this.#transition('ready')
    this.onReady()
  }

  /** Counts as the user's own pause, so that it takes `resume` to go on. */
  protected pauseForUser(): void {
    this.#pauseCount++
    this.#userPaused = true
    if (!this.#paused) this.enter()
  }

  /** @throws BlockError `EPERM` in a state that does not take the command */
  protected checkVerb(verb: JobVerb): void {
    if (acceptsVerb(this.status, verb)) return
    throw new BlockError('EPERM', `Job '${this.id}' in state '${this.status}' cannot accept command verb '${verb}'`)
  }

  protected emit(event: JobEvent): void {
    this.settings.onEvent?.(event)
  }

  #transition(to: JobStatus): void {
    assert(mayFollow(this.#status, to), `job '${this.id}' cannot go from '${this.#status}' to '${to}'`)
    this.#status = to
    // Inside the transition, so that its place among the BLOCK_JOB events is the reference's.
    this.emit({ event: 'JOB_STATUS_CHANGE', data: { id: this.id, status: to } })
    this.#watchers.notify()
  }

  #endUserPause(): void {
    this.#userPaused = false
    this.#pauseCount--
    this.onUserResume()
    this.enter()
    this.#watchers.notify()
  }

  #throwError(): void {
    if (this.#error === undefined) return
    throw this.#aborted && this.#error === this.#cancellation ? this.settings.signal?.reason : this.#error
  }

  #abort(): void {
    this.#aborted = true
    if (acceptsVerb(this.status, 'cancel')) this.#requestCancel(true)
  }

  #requestCancel(force: boolean): void {
    // Past this point the job takes effect; nobody may stop it half-way.
    if (this.#finalizing) return
    const hook = this.#hooks?.cancel
    const forced = hook === undefined ? true : hook.call(this.#hooks, force)
    if (isCompletedStatus(this.status) && !force) return
    this.#cancelRequested = true
    this.#forceCancelled ||= forced
    if (this.#userPaused) this.#endUserPause()
    this.enter()
  }

  // ── From the first line to the last event ──

  async #live(hooks: JobHooks): Promise<void> {
    if (!this.#forceCancelled) {
      const unfit = await this.#attempt(async () => hooks.setup?.())
      if (unfit !== undefined) return this.#vanish(unfit)
    }
    let failure: Error | undefined
    if (!this.#forceCancelled) {
      this.#pauseCount--
      this.#begun = true
      this.#transition('running')
      failure = await this.#attempt(async () => {
        await this.pausePoint()
        await hooks.run()
      })
    }
    await this.#end(hooks, failure)
  }

  /** A job that could not be set up leaves no trace: whoever started it gets the error. */
  #vanish(error: Error): void {
    this.#error = error
    this.#forget()
  }

  async #end(hooks: JobHooks, runFailure: Error | undefined): Promise<void> {
    let failure = runFailure ?? this.#takeCancellation()
    if (failure === undefined) failure = await this.#takeEffect(hooks)
    if (failure !== undefined) this.#transition('aborting')
    const undoFailure = await this.#attempt(async () => (failure === undefined ? undefined : hooks.abort?.()))
    const cleanFailure = await this.#attempt(async () => hooks.clean?.())
    this.#error = failure ?? undoFailure ?? cleanFailure
    if (this.#begun) this.onEnd({ cancelled: this.#forceCancelled, error: this.#error })
    this.#transition('concluded')
    if (this.settings.autoDismiss || !this.#begun) this.#forget()
    else this.#stopListening()
  }

  async #takeEffect(hooks: JobHooks): Promise<Error | undefined> {
    this.#transition('waiting')
    this.#transition('pending')
    if (!this.settings.autoFinalize) {
      this.onPending()
      while (!this.#finalizing && !this.#forceCancelled) await this.#parking.park()
    }
    const cancelled = this.#takeCancellation()
    if (cancelled !== undefined) return cancelled
    this.#finalizing = true
    return this.#attempt(async () => hooks.prepare?.())
  }

  #takeCancellation(): Error | undefined {
    if (this.#forceCancelled) this.#cancellation = BlockError.fromErrno('ECANCELED')
    return this.#cancellation
  }

  async #attempt(step: () => Promise<unknown>): Promise<Error | undefined> {
    try {
      await step()
      return undefined
    } catch (error) {
      // Kept, not swallowed: it becomes the job's error, and `done` rejects with it.
      return error instanceof Error ? error : new Error(String(error), { cause: error })
    }
  }

  #forget(): void {
    this.#transition('null')
    this.settings.list.remove(this)
    this.#stopListening()
  }

  #stopListening(): void {
    this.settings.signal?.removeEventListener('abort', this.#onAbort)
  }
}
