/** The mirror engine: copies what is dirty until source and target agree, and keeps them so until told to end. */

import { BlockError, type BlockBackend, type DirtyBitmap, drainNode } from '@blocklayer/block-core'
import type { BlockJob, OnError } from '../block-job.ts'
import type { IoOperation } from '../job-events.ts'
import { plainError } from '../plain-error.ts'
import { sliceLength } from '../rate-limit.ts'
import { type CopyGeometry, copyMax } from './geometry.ts'
import { InFlight } from './in-flight.ts'
import { MirrorIteration } from './iterate.ts'

/** What a mirror works on. */
export interface MirrorParts {
  readonly job: BlockJob
  readonly source: BlockBackend
  readonly target: BlockBackend
  /** Records guest writes to the source from the moment the mirror was set up. */
  readonly bitmap: DirtyBitmap
  readonly geometry: CopyGeometry
  readonly onSourceError: OnError
  readonly onTargetError: OnError
  /** Pivot as soon as source and target agree. */
  readonly autoComplete: boolean
}

/** @see spec/jobs.md, section 17; QEMU 7.2 block/mirror.c */
export class Mirror {
  readonly #parts: MirrorParts
  readonly #inFlight: InFlight
  readonly #iteration: MirrorIteration
  #completeRequested: boolean
  #failure: unknown
  #endDrain: (() => void) | undefined

  constructor(parts: MirrorParts) {
    const { source, target, bitmap, geometry } = parts
    this.#parts = parts
    this.#completeRequested = parts.autoComplete
    this.#inFlight = new InFlight(Math.max(copyMax, geometry.unit))
    this.#iteration = new MirrorIteration({
      source,
      target,
      bitmap,
      geometry,
      inFlight: this.#inFlight,
      onDone: (bytes) => parts.job.meter.workDone(bytes),
      onError: (operation, error) => this.#onError(operation, error),
    })
  }

  /** The owner wants the target in the source's place: `complete`, not a cancel that only ends the copying. */
  get shouldPivot(): boolean {
    return this.#completeRequested && !this.#parts.job.isSoftCancelled
  }

  /** To be asked for before the job ends. */
  requestComplete(): void {
    this.#completeRequested = true
  }

  /** Waits until nothing is under way. */
  quiesce(): Promise<void> {
    return this.#inFlight.all()
  }

  /**
   * Copies until complete or cancelled. When it was completed, the source is drained and equals the flushed target.
   *
   * @throws BlockError the first error that the policy reports; its message is only the code's text
   */
  async run(): Promise<void> {
    try {
      while (!(await this.#turn())) {
        // Each turn copies a piece, waits for one, or sleeps.
      }
    } finally {
      await this.#inFlight.all()
    }
  }

  /** Ends the drained section that `run` may have left behind. */
  release(): void {
    this.#endDrain?.()
    this.#endDrain = undefined
  }

  /** @returns whether the mirror is at its end */
  async #turn(): Promise<boolean> {
    const { job } = this.#parts
    if (this.#failure !== undefined) throw this.#failure
    if (job.shouldPause) await job.pausePoint()
    if (job.isForceCancelled) return true
    job.meter.setRemaining(this.#iteration.remaining)
    const mayCopy = !job.sliceOver && job.ioStatus === 'ok'
    if (mayCopy && (this.#inFlight.isFull || (!this.#iteration.hasWork && this.#inFlight.count > 0))) {
      await this.#inFlight.one()
      return false
    }
    const delay = mayCopy && this.#iteration.hasWork ? await this.#copyPiece() : 0
    if (this.#isClean) {
      if (await this.#settle()) return true
      if (job.ready && !this.#shouldEnd && this.#isClean) await job.sleep(sliceLength)
    }
    if (delay > 0 || job.sliceOver) await job.sleep(delay)
    return false
  }

  get #isClean(): boolean {
    return this.#inFlight.count === 0 && !this.#iteration.hasWork
  }

  get #shouldEnd(): boolean {
    return this.#completeRequested || this.#parts.job.isSoftCancelled
  }

  /** @returns milliseconds to wait before the next piece */
  async #copyPiece(): Promise<number> {
    const bytes = await this.#iteration.step()
    return bytes === 0 ? 0 : this.#parts.job.delayAfter(bytes)
  }

  /** Source and target agree: become ready, or end. @returns whether the mirror is at its end */
  async #settle(): Promise<boolean> {
    const { job } = this.#parts
    if (!job.ready) {
      // Ready is a promise that a power cut cannot break: what was copied is durable first.
      if (!(await this.#flushTarget())) return false
      job.meter.setRemaining(this.#iteration.remaining)
      job.becomeReady()
    }
    return this.#shouldEnd && this.#isClean ? await this.#endIfClean() : false
  }

  /** Guests are stopped for the last look: what they wrote since must be copied before the end. */
  async #endIfClean(): Promise<boolean> {
    this.#endDrain = await drainNode(this.#parts.source.root)
    let isEnd = false
    try {
      isEnd = this.#isClean && (await this.#flushTarget())
    } finally {
      if (!isEnd) this.release()
    }
    return isEnd
  }

  async #flushTarget(): Promise<boolean> {
    try {
      await this.#parts.target.flush()
      return true
    } catch (error) {
      this.#onError('write', error)
      return false
    }
  }

  #onError(operation: IoOperation, error: unknown): void {
    const { job, onSourceError, onTargetError } = this.#parts
    try {
      if (!(error instanceof BlockError)) throw error
      const action = job.handleError(operation, operation === 'read' ? onSourceError : onTargetError, error)
      if (action === 'report') this.#failure ??= plainError(error)
    } catch (bug) {
      // Nobody's policy: a bug here, or in a listener of the job's events. It ends the job.
      this.#failure ??= bug
    }
  }
}
