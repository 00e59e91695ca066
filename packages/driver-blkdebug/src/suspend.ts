/** Breakpoints: requests that wait at an event until somebody lets them go on. */

import { type BlkdebugEvent, BlockError } from '@blocklayer/block-core/driver'

interface Breakpoint {
  readonly event: BlkdebugEvent
  readonly tag: string
}

/** Somebody who waits for something that happens under a tag. */
interface Suspended {
  readonly tag: string
  readonly release: () => void
}

/** Breakpoints by tag, and the requests that wait at them. */
export class Breakpoints {
  readonly #report: (line: string) => void
  #breakpoints: Breakpoint[] = []
  /** Oldest first. */
  #suspended: Suspended[] = []
  /** Those who want to know when a request stops. */
  #waiting: Suspended[] = []

  /** @param report - told when a request stops and goes on, in the reference's words */
  constructor(report: (line: string) => void) {
    this.#report = report
  }

  /** The next request that comes to `event` waits under `tag`. */
  set(event: BlkdebugEvent, tag: string): void {
    this.#breakpoints.push({ event, tag })
  }

  /**
   * Stops the calling request at `event`, if it has a breakpoint. A request that meets several waits for all of their
   * tags; a breakpoint stops one request only.
   */
  async stopAt(event: BlkdebugEvent): Promise<void> {
    const hit = this.#breakpoints.filter((breakpoint) => breakpoint.event === event)
    if (hit.length === 0) return
    this.#breakpoints = this.#breakpoints.filter((breakpoint) => breakpoint.event !== event)
    // The newest first: the reference prints and resumes them in this order.
    await Promise.all(hit.reverse().map(({ tag }) => this.#suspend(tag)))
  }

  /**
   * Lets one request that waits under `tag` go on, the one that stopped last.
   *
   * @throws BlockError `ENOENT` where none waits
   */
  resume(tag: string): void {
    const index = this.#suspended.findLastIndex((suspended) => suspended.tag === tag)
    if (index < 0) throw BlockError.fromErrno('ENOENT')
    this.#release(index)
  }

  /**
   * Forgets all breakpoints with `tag` and lets all requests that wait under it go on.
   *
   * @throws BlockError `ENOENT` where there was no breakpoint to forget, in the end: requests that stopped at one have used
   *   it up, and go on all the same
   */
  remove(tag: string): void {
    const kept = this.#breakpoints.filter((breakpoint) => breakpoint.tag !== tag)
    const isKnown = kept.length < this.#breakpoints.length
    this.#breakpoints = kept
    while (this.isSuspended(tag)) this.resume(tag)
    if (!isKnown) throw BlockError.fromErrno('ENOENT')
  }

  /** Whether any request waits under `tag`. */
  isSuspended(tag: string): boolean {
    return this.#suspended.some((suspended) => suspended.tag === tag)
  }

  /** Resolves as soon as a request waits under `tag`: at once where one does already. */
  untilSuspended(tag: string): Promise<void> {
    if (this.isSuspended(tag)) return Promise.resolve()
    return new Promise((release) => this.#waiting.push({ tag, release }))
  }

  #suspend(tag: string): Promise<void> {
    this.#report(`blkdebug: Suspended request '${tag}'`)
    const stopped = new Promise<void>((release) => this.#suspended.push({ tag, release }))
    for (const waiting of this.#waiting) if (waiting.tag === tag) waiting.release()
    this.#waiting = this.#waiting.filter((waiting) => waiting.tag !== tag)
    return stopped
  }

  #release(index: number): void {
    const [suspended] = this.#suspended.splice(index, 1)
    if (suspended === undefined) return
    this.#report(`blkdebug: Resuming request '${suspended.tag}'`)
    suspended.release()
  }
}
