/** The requests that run on one node, so that a request which must not overlap others can wait for them. */

import { alignDown, alignUp } from '../util/align.ts'

/** One request in flight; its range is in bytes and may be wider than what was asked (`makeSerialising`). */
export interface TrackedRequest {
  start: number
  end: number
  serialising: boolean
  /** Place in the order of arrival. */
  readonly sequence: number
  /** Whom this request waits for: a cycle of waiters would never end. */
  waitingFor: TrackedRequest | undefined
  waiters: (() => void)[] | undefined
}

/**
 * Requests in flight on one node.
 *
 * Two requests conflict if at least one is serialising and their ranges intersect; the later one waits. They go on in
 * the order in which they came, so that none waits for ever behind newcomers.
 *
 * @see spec/block-layer.md, section 20
 */
export class TrackedRequests {
  readonly #requests = new Set<TrackedRequest>()
  readonly #idleWaiters: (() => void)[] = []
  #serialising = 0
  #sequence = 0

  /** How many requests are in flight. */
  get size(): number {
    return this.#requests.size
  }

  /** Enters a request; whoever calls must `end` it. */
  begin(offset: number, bytes: number): TrackedRequest {
    const request: TrackedRequest = {
      start: offset,
      end: offset + bytes,
      serialising: false,
      sequence: this.#sequence++,
      waitingFor: undefined,
      waiters: undefined,
    }
    this.#requests.add(request)
    return request
  }

  end(request: TrackedRequest): void {
    this.#requests.delete(request)
    if (request.serialising) this.#serialising--
    if (request.waiters !== undefined) for (const wake of request.waiters) wake()
    if (this.#requests.size === 0 && this.#idleWaiters.length > 0)
      for (const wake of this.#idleWaiters.splice(0)) wake()
  }

  /** From now on nothing may overlap the request's range, widened to `alignment`. */
  makeSerialising(request: TrackedRequest, alignment: number): void {
    if (!request.serialising) this.#serialising++
    request.serialising = true
    request.start = alignDown(request.start, alignment)
    request.end = alignUp(request.end, alignment)
  }

  /** Waits until no earlier request conflicts with `request`; undefined where there is nothing to wait for. */
  wait(request: TrackedRequest): Promise<void> | undefined {
    if (this.#serialising === 0) return undefined
    return this.#waitForConflicts(request)
  }

  async #waitForConflicts(request: TrackedRequest): Promise<void> {
    for (;;) {
      const conflict = this.#conflictOf(request)
      if (conflict === undefined) return
      request.waitingFor = conflict
      await ended(conflict)
      request.waitingFor = undefined
    }
  }

  #conflictOf(request: TrackedRequest): TrackedRequest | undefined {
    for (const other of this.#requests) {
      if (other === request || !(other.serialising || request.serialising)) continue
      if (other.start >= request.end || request.start >= other.end) continue
      // Who came later and waits has not begun: it finds us when it wakes. Who waits for us will not move before we do.
      const isBehind = other.waitingFor !== undefined && (other.sequence > request.sequence || waitsFor(other, request))
      if (!isBehind) return other
    }
    return undefined
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    while (this.#requests.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }
}

function ended(request: TrackedRequest): Promise<void> {
  request.waiters ??= []
  const { waiters } = request
  return new Promise<void>((resolve) => waiters.push(resolve))
}

function waitsFor(waiter: TrackedRequest, target: TrackedRequest): boolean {
  for (let next = waiter.waitingFor; next !== undefined; next = next.waitingFor) if (next === target) return true
  return false
}
