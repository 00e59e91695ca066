/** A set of limits that any number of disks share, and the queue of their requests. */

import { type Clock, systemClock } from './clock.ts'
import { LeakyBucket } from './leaky-bucket.ts'
import { bucketLimits, checkLimits, completeLimits, type LimitName, limitNames, type ThrottleLimits } from './limits.ts'

/** Discards and zero writes count as writes. */
export type Direction = 'read' | 'write'

const directions: readonly Direction[] = ['read', 'write']

/** The buckets that a request of each direction goes through. */
const bucketsOf: Readonly<Record<Direction, readonly LimitName[]>> = {
  read: ['bpsTotal', 'bpsRead', 'iopsTotal', 'iopsRead'],
  write: ['bpsTotal', 'bpsWrite', 'iopsTotal', 'iopsWrite'],
}

/** A request that waits for its turn. */
interface Waiter {
  readonly bytes: number
  resume(): void
}

/**
 * Limits shared by all nodes (and whoever else joins) that name the group. Members are served in turns, each in the
 * order of its own requests; reads and writes do not hold each other up but where a total limits both.
 *
 * @see QEMU 7.2 block/throttle-groups.c; qapi/qom.json: throttle-group
 */
export class ThrottleGroup {
  /** The name that `throttle-group=` options give. */
  readonly id: string
  readonly #clock: Clock
  #limits: Required<ThrottleLimits>
  #buckets: Readonly<Record<LimitName, LeakyBucket>>
  /** The moment, in milliseconds, up to which the buckets have leaked. */
  #leakedUntil: number
  /** Members with waiting requests, whose turn is next first. */
  readonly #queues: Readonly<Record<Direction, ThrottleMember[]>> = { read: [], write: [] }
  #lastServed: Direction = 'write'
  #stopTimer: (() => void) | undefined

  /** @throws BlockError `EINVAL` where the limits contradict each other */
  constructor(id: string, limits: ThrottleLimits = {}, options: { readonly clock?: Clock } = {}) {
    this.id = id
    this.#clock = options.clock ?? systemClock
    this.#limits = completeLimits(limits)
    checkLimits(this.#limits)
    this.#buckets = makeBuckets(this.#limits)
    this.#leakedUntil = this.#clock.now()
  }

  /** All limits that hold now. */
  get limits(): Required<ThrottleLimits> {
    return this.#limits
  }

  /**
   * Changes some limits; the others stay. Waiting requests go by the new ones at once.
   *
   * @throws BlockError `EINVAL` where the limits then contradict each other; nothing has changed
   */
  setLimits(change: ThrottleLimits): void {
    const limits = completeLimits({ ...this.#limits, ...change })
    checkLimits(limits)
    this.#limits = limits
    // Empty ones: what was let through at a high rate could take hours to leak away at a low one.
    this.#buckets = makeBuckets(limits)
    this.#leakedUntil = this.#clock.now()
    this.#serve()
  }

  /** Takes in somebody with requests to limit. */
  join(): ThrottleMember {
    return new ThrottleMember({
      admit: (member, direction, bytes) => this.#admit(member, direction, bytes),
      release: (member) => this.#release(member),
    })
  }

  /** Undefined where the request may go on at once. */
  #admit(member: ThrottleMember, direction: Direction, bytes: number): Promise<void> | undefined {
    // Those whose time has come go first, also where the host's timer has not noticed yet.
    this.#serve()
    if (member.unlimited || (this.#queues[direction].length === 0 && this.#delay(direction) === 0)) {
      this.#account(direction, bytes)
      return undefined
    }
    const admitted = new Promise<void>((resume) => member.queue(direction).push({ bytes, resume }))
    const queue = this.#queues[direction]
    if (!queue.includes(member)) queue.push(member)
    this.#serve()
    return admitted
  }

  /** Lets everything of one member through. */
  #release(member: ThrottleMember): void {
    for (const direction of directions) {
      const queue = this.#queues[direction]
      if (queue.includes(member)) queue.splice(queue.indexOf(member), 1)
      for (const waiter of member.queue(direction).splice(0)) this.#resume(direction, waiter)
    }
    this.#serve()
  }

  /** Lets through whatever may go now, and sets the timer for the next. */
  #serve(): void {
    this.#leak()
    for (let direction = this.#ready(); direction !== undefined; direction = this.#ready()) {
      const queue = this.#queues[direction]
      const member = queue.shift()
      const waiter = member?.queue(direction).shift()
      if (member === undefined || waiter === undefined) return
      if (member.queue(direction).length > 0) queue.push(member)
      this.#resume(direction, waiter)
    }
    this.#setTimer()
  }

  /** The direction whose first request may go now; by turns, or one could starve the other below a common limit. */
  #ready(): Direction | undefined {
    const [first, second]: readonly Direction[] = this.#lastServed === 'read' ? ['write', 'read'] : directions
    return [first, second].find(
      (direction) => direction !== undefined && this.#queues[direction].length > 0 && this.#delay(direction) === 0,
    )
  }

  #setTimer(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    const waiting = directions.filter((direction) => this.#queues[direction].length > 0)
    if (waiting.length === 0) return
    const delay = Math.min(...waiting.map((direction) => this.#delay(direction)))
    // Whole nanoseconds, upwards: what rounding leaves over would need a timer of its own.
    this.#stopTimer = this.#clock.setTimer(Math.ceil(delay * 1e9) / 1e6, () => this.#serve())
  }

  #resume(direction: Direction, waiter: Waiter): void {
    this.#account(direction, waiter.bytes)
    waiter.resume()
  }

  /** Seconds until the direction's next request may go. */
  #delay(direction: Direction): number {
    return Math.max(...bucketsOf[direction].map((name) => this.#buckets[name].delay))
  }

  #account(direction: Direction, bytes: number): void {
    this.#lastServed = direction
    const { iopsSize } = this.#limits
    const requests = iopsSize !== 0 && bytes > iopsSize ? bytes / iopsSize : 1
    for (const name of bucketsOf[direction]) this.#buckets[name].fill(name.startsWith('bps') ? bytes : requests)
  }

  #leak(): void {
    const now = this.#clock.now()
    for (const name of limitNames) this.#buckets[name].leak((now - this.#leakedUntil) / 1000)
    this.#leakedUntil = now
  }
}

/** What a member may ask of its group. */
interface MemberDoor {
  admit(member: ThrottleMember, direction: Direction, bytes: number): Promise<void> | undefined
  release(member: ThrottleMember): void
}

/** One of those that share a group's limits. Made by `ThrottleGroup.join`. */
export class ThrottleMember {
  readonly #door: MemberDoor
  readonly #queues: Readonly<Record<Direction, Waiter[]>> = { read: [], write: [] }
  #suspensions = 0

  /** Used by the group. */
  constructor(door: MemberDoor) {
    this.#door = door
  }

  /** Whether requests pass without waiting; they are counted all the same. */
  get unlimited(): boolean {
    return this.#suspensions > 0
  }

  /** Requests that wait, the oldest first; the group's business. */
  queue(direction: Direction): Waiter[] {
    return this.#queues[direction]
  }

  /** Undefined where the request may go on at once, or else resolves when it may. */
  admit(direction: Direction, bytes: number): Promise<void> | undefined {
    return this.#door.admit(this, direction, bytes)
  }

  /** Lets everything through, what waits and what comes, until as many calls of `resumeLimits`. */
  suspendLimits(): void {
    this.#suspensions++
    this.#door.release(this)
  }

  resumeLimits(): void {
    this.#suspensions--
  }
}

function makeBuckets(limits: Required<ThrottleLimits>): Readonly<Record<LimitName, LeakyBucket>> {
  const entries = limitNames.map((name) => [name, new LeakyBucket(bucketLimits(limits, name))] as const)
  return Object.fromEntries(entries) as Record<LimitName, LeakyBucket>
}
