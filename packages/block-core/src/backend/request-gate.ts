/** Lets a backend's requests in: so many at a time, none while the node is drained, in the order in which they came. */

import { BlockError } from '../errors.ts'
import { doneAtOnce } from '../util/done.ts'

/** Requests that one backend has in flight at most, unless it is told otherwise; more wait, the oldest goes first. */
export const inFlightDefault = 1024

/** How requests are let in. */
export interface GateOptions {
  /** Requests in flight at most. */
  readonly maxInFlight?: number | undefined
  /** Requests go on while the node is drained. */
  readonly ignoreDrain?: boolean | undefined
}

interface Waiting {
  readonly enter: () => void
  readonly refuse: (error: BlockError) => void
}

/** The gate of one backend. */
export class RequestGate {
  readonly #max: number
  readonly #ignoreDrain: boolean
  #inFlight = 0
  #quiesced = 0
  #closed = false
  #queue: Waiting[] = []
  /** Requests of `#queue` that were let in already. */
  #queueStart = 0
  readonly #idleWaiters: (() => void)[] = []

  constructor(options: GateOptions = {}) {
    const max = options.maxInFlight ?? inFlightDefault
    if (!(max >= 1)) throw new BlockError('EINVAL', 'maxInFlight must be at least 1')
    this.#max = max
    this.#ignoreDrain = options.ignoreDrain === true
  }

  /** Requests in flight; those that wait do not count. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** `undefined`: the request is in, and must `leave`. Else it is in when the promise resolves. */
  enter(): Promise<void> | undefined {
    if (this.#isOpen && this.#queue.length === 0) {
      this.#inFlight++
      return undefined
    }
    if (this.#closed) throw BlockError.fromErrno('ENOMEDIUM')
    return new Promise<void>((enter, refuse) => this.#queue.push({ enter, refuse }))
  }

  /** Whether a request that comes now is in at once. */
  get isFree(): boolean {
    return this.#queue.length === 0 && this.#isOpen
  }

  /**
   * Counts a request that began while the gate was free, and goes on: until then nobody else had a turn.
   *
   * @returns what `running` gives
   */
  follow<T>(running: Promise<T>): Promise<T> {
    if (running === doneAtOnce) return running
    this.#inFlight++
    return this.#leaveAfter(running)
  }

  /** Runs `work` as a request, once it is in. What `work` throws is a rejection. */
  through<T>(work: () => Promise<T>): Promise<T> {
    if (this.isFree) return this.#start(work)
    let wait: Promise<void> | undefined
    try {
      wait = this.enter()
    } catch (error) {
      return Promise.reject(error)
    }
    return wait === undefined ? this.#run(work) : wait.then(() => this.#run(work))
  }

  /** As `#run`, for a request that counts only if it goes on. */
  #start<T>(work: () => Promise<T>): Promise<T> {
    let running: Promise<T>
    try {
      running = work()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.follow(running)
  }

  leave(): void {
    this.#inFlight--
    if (this.#queue.length > 0) this.#admit()
    if (this.#inFlight === 0 && this.#idleWaiters.length > 0) for (const wake of this.#idleWaiters.splice(0)) wake()
  }

  /** Begins a drained section, and resolves when no request is in flight. */
  async quiesce(): Promise<void> {
    this.#quiesced++
    if (!this.#ignoreDrain) await this.idle()
  }

  unquiesce(): void {
    this.#quiesced--
    this.#admit()
  }

  /** Refuses who waits and who comes with `ENOMEDIUM`; resolves when no request is in flight. */
  async close(): Promise<void> {
    this.#closed = true
    const waiting = this.#queue.splice(0).slice(this.#queueStart)
    this.#queueStart = 0
    for (const { refuse } of waiting) refuse(BlockError.fromErrno('ENOMEDIUM'))
    await this.idle()
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    let running: Promise<T>
    try {
      running = work()
    } catch (error) {
      this.leave()
      return Promise.reject(error)
    }
    if (running !== doneAtOnce) return this.#leaveAfter(running)
    this.leave()
    return running
  }

  async #leaveAfter<T>(running: Promise<T>): Promise<T> {
    try {
      return await running
    } finally {
      this.leave()
    }
  }

  get #isOpen(): boolean {
    return !this.#closed && this.#inFlight < this.#max && (this.#quiesced === 0 || this.#ignoreDrain)
  }

  #admit(): void {
    while (this.#queueStart < this.#queue.length && this.#isOpen) {
      this.#inFlight++
      this.#queue[this.#queueStart++]!.enter()
    }
    // Taking each one from the front would move all the others.
    if (this.#queueStart === this.#queue.length || this.#queueStart > 1024) {
      this.#queue = this.#queue.slice(this.#queueStart)
      this.#queueStart = 0
    }
  }
}
