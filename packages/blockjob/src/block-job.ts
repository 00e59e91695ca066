/** A job on block nodes: speed, error policy, io-status, and the events that go with them. */

import { BlockError } from '@blocklayer/block-core'
import type { BlockJobEventData, ErrorAction, IoOperation } from './job-events.ts'
import type { IoStatus, JobInfo } from './job-interface.ts'
import { JobBase, type JobSettings } from './job.ts'
import { RateLimit } from './rate-limit.ts'

/** What to do about a failed request: `enospc` stops for a full disk and reports the rest. */
export type OnError = 'report' | 'ignore' | 'stop' | 'enospc'

/** What a block job is made with. */
export interface BlockJobSettings extends JobSettings {
  /** Bytes per second, 0: unlimited. */
  readonly speed: number
}

/** Pure: the action for an error under a policy. @see spec/jobs.md, section 14 */
export function errorAction(policy: OnError, error: BlockError): ErrorAction {
  if (policy === 'enospc') return error.code === 'ENOSPC' ? 'stop' : 'report'
  return policy
}

/** @see spec/jobs.md, sections 5, 6, 8 and 14; QEMU 7.2 blockjob.c */
export class BlockJob extends JobBase {
  readonly #limit: RateLimit
  #speed: number
  #ioStatus: IoStatus = 'ok'

  /** @throws BlockError for a negative speed, or an id that is invalid or in use */
  constructor(settings: BlockJobSettings) {
    checkSpeed(settings.speed)
    super(settings)
    this.#speed = settings.speed
    this.#limit = new RateLimit(settings.clock)
    this.#limit.setSpeed(settings.speed)
  }

  get ioStatus(): IoStatus {
    return this.#ioStatus
  }

  setSpeed(bytesPerSecond: number): void {
    this.checkVerb('set-speed')
    checkSpeed(bytesPerSecond)
    const old = this.#speed
    this.#speed = bytesPerSecond
    this.#limit.setSpeed(bytesPerSecond)
    const faster = old !== 0 && (bytesPerSecond === 0 || bytesPerSecond > old)
    // A slower job sees it at its next delay; only who may go faster must not sleep out the old one.
    if (faster) this.enter()
  }

  /** Accounts for copied bytes. @returns milliseconds to wait before the next copy */
  delayAfter(bytes: number): number {
    return this.#limit.delayAfter(bytes)
  }

  /** Announces a failed request and applies the policy: `stop` pauses the job as its user would. */
  handleError(operation: IoOperation, policy: OnError, error: BlockError): ErrorAction {
    const action = errorAction(policy, error)
    this.emit({ event: 'BLOCK_JOB_ERROR', data: { device: this.id, operation, action } })
    if (action === 'stop') {
      if (!this.isUserPaused) this.pauseForUser()
      if (this.#ioStatus === 'ok') this.#ioStatus = error.code === 'ENOSPC' ? 'nospace' : 'failed'
    }
    return action
  }

  info(): JobInfo {
    const { id: device, type, status, ready } = this
    const { current: offset, total: len } = this.progress
    return {
      type,
      device,
      len,
      offset,
      busy: this.isBusy,
      paused: this.shouldPause,
      speed: this.#speed,
      ioStatus: this.#ioStatus,
      ready,
      status,
      autoFinalize: this.settings.autoFinalize,
      autoDismiss: this.settings.autoDismiss,
      ...(this.error === undefined ? {} : { error: this.error.message }),
    }
  }

  protected onReady(): void {
    this.emit({ event: 'BLOCK_JOB_READY', data: this.#eventData() })
  }

  protected onPending(): void {
    this.emit({ event: 'BLOCK_JOB_PENDING', data: { type: this.type, id: this.id } })
  }

  protected onEnd({ cancelled, error }: { cancelled: boolean; error: Error | undefined }): void {
    const data = this.#eventData()
    if (cancelled) this.emit({ event: 'BLOCK_JOB_CANCELLED', data })
    else if (error === undefined) this.emit({ event: 'BLOCK_JOB_COMPLETED', data })
    else this.emit({ event: 'BLOCK_JOB_COMPLETED', data: { ...data, error: error.message } })
  }

  protected onUserResume(): void {
    this.#ioStatus = 'ok'
  }

  #eventData(): BlockJobEventData {
    const { current: offset, total: len } = this.progress
    return { type: this.type, device: this.id, len, offset, speed: this.#speed }
  }
}

/** @throws BlockError `EINVAL` for a negative speed */
function checkSpeed(bytesPerSecond: number): void {
  if (bytesPerSecond < 0) throw new BlockError('EINVAL', "Parameter 'speed' expects a non-negative value")
}
