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
  /** Neighbours in the order of arrival. */
  earlier: TrackedRequest | undefined
  later: TrackedRequest | undefined
}

/**
 * Requests in flight on one node.
 *
 * Two requests conflict if at least one is serialising and their ranges intersect; the later one waits. They go on in
 * the order in which they came, so that none waits for ever behind newcomers. Entering and leaving cost the same
 * however many are in flight; only where somebody serialises are the others looked at.
 *
 * @see spec/block-layer.md, section 20
 */
export class TrackedRequests {
  #latest: TrackedRequest | undefined
  #size = 0
  /** Those that serialise; an ordinary request can conflict with no other. */
  readonly #serialising = new Set<TrackedRequest>()
  readonly #idleWaiters: (() => void)[] = []
  #sequence = 0

  /** How many requests are in flight. */
  get size(): number {
    return this.#size
  }

  /** Whether an ordinary request may have to wait. */
  get hasSerialising(): boolean {
    return this.#serialising.size > 0
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
      earlier: this.#latest,
      later: undefined,
    }
    if (this.#latest !== undefined) this.#latest.later = request
    this.#latest = request
    this.#size++
    return request
  }

  end(request: TrackedRequest): void {
    const { earlier, later } = request
    if (earlier !== undefined) earlier.later = later
    if (later === undefined) this.#latest = earlier
    else later.earlier = earlier
    this.#size--
    if (request.serialising) this.#serialising.delete(request)
    if (request.waiters !== undefined) for (const wake of request.waiters) wake()
    if (this.#size === 0 && this.#idleWaiters.length > 0) for (const wake of this.#idleWaiters.splice(0)) wake()
  }

  /** From now on nothing may overlap the request's range, widened to `alignment`. */
  makeSerialising(request: TrackedRequest, alignment: number): void {
    if (!request.serialising) this.#serialising.add(request)
    request.serialising = true
    request.start = alignDown(request.start, alignment)
    request.end = alignUp(request.end, alignment)
  }

  /** Waits until no earlier request conflicts with `request`; undefined where there is nothing to wait for. */
  wait(request: TrackedRequest): Promise<void> | undefined {
    if (this.#serialising.size === 0) return undefined
    const conflict = this.#conflictOf(request)
    return conflict === undefined ? undefined : this.#waitForConflicts(request, conflict)
  }

  async #waitForConflicts(request: TrackedRequest, first: TrackedRequest): Promise<void> {
    for (let conflict: TrackedRequest | undefined = first; conflict !== undefined; ) {
      request.waitingFor = conflict
      await ended(conflict)
      request.waitingFor = undefined
      conflict = this.#conflictOf(request)
    }
  }

  /** The latest one: all who want the same block form a queue, in which each is woken once. */
  #conflictOf(request: TrackedRequest): TrackedRequest | undefined {
    if (request.serialising) {
      for (let other = this.#latest; other !== undefined; other = other.earlier) {
        if (conflicts(request, other)) return other
      }
      return undefined
    }
    let latest: TrackedRequest | undefined
    for (const other of this.#serialising) if (conflicts(request, other)) latest = other
    return latest
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    while (this.#size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }
}

/** Whether `request` has to wait for `other`; one of the two serialises. */
function conflicts(request: TrackedRequest, other: TrackedRequest): boolean {
  if (other === request || other.start >= request.end || request.start >= other.end) return false
  if (other.waitingFor === undefined) return true
  // Who came later and waits has not begun: it finds us when it wakes. Who waits for us will not move before we do.
  return other.sequence < request.sequence && (request.waiters === undefined || !waitsFor(other, request))
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
