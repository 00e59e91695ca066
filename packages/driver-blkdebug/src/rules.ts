/** The rules and their state machine: which error, if any, meets the next request. */

import type { BlkdebugEvent, Errno } from '@blocklayer/block-core/driver'

/** Kinds of requests that can be made to fail. */
export const ioTypes = ['read', 'write', 'write-zeroes', 'discard', 'flush', 'block-status'] as const

/** One of `ioTypes`. */
export type IoType = (typeof ioTypes)[number]

/** "After `event`, fail requests." */
export interface InjectErrorRule {
  readonly event: BlkdebugEvent
  /** The state in which it arms; 0 is any. */
  readonly state: number
  /** `undefined`: all but `block-status`. */
  readonly ioType: IoType | undefined
  /** `undefined`: no error, but later rules are not looked at. */
  readonly errno: Errno | undefined
  /** The 512-byte sector that a request must cover; `undefined` is any. */
  readonly sector: number | undefined
  readonly once: boolean
  readonly immediately: boolean
}

/** "At `event`, in `state`, go to `newState`." */
export interface SetStateRule {
  readonly event: BlkdebugEvent
  /** 0 is any. */
  readonly state: number
  readonly newState: number
}

/** Rules in the order of the configuration, the file's before the options'. */
export interface Rules {
  readonly injectError: readonly InjectErrorRule[]
  readonly setState: readonly SetStateRule[]
}

/** A request as blkdebug sees it; a flush is empty and at 0. */
export interface IoRequest {
  readonly type: IoType
  readonly offset: number
  readonly bytes: number
}

/** What befalls a request. */
export interface InjectedError {
  readonly errno: Errno
  /** Fail without letting others run first. */
  readonly immediately: boolean
}

/**
 * Rules, the state they share, and those of them that are armed.
 *
 * @see spec/blkdebug.md, section 7; QEMU 7.2 docs/devel/blkdebug.txt
 */
export class RuleMachine {
  readonly #setState: readonly SetStateRule[]
  /** Without the `once` rules that have hit. */
  #injectError: readonly InjectErrorRule[]
  #active: readonly InjectErrorRule[] = []
  #state = 1

  constructor(rules: Rules) {
    this.#setState = rules.setState
    this.#injectError = rules.injectError
  }

  /** An event came: arms its rules, and changes the state. All rules look at the state before the event. */
  event(event: BlkdebugEvent): void {
    const applies = (rule: { readonly event: BlkdebugEvent; readonly state: number }): boolean =>
      rule.event === event && (rule.state === 0 || rule.state === this.#state)
    const armed = this.#injectError.filter(applies)
    // An event that arms nothing leaves armed what was: an error is not tied to the request that triggered it.
    if (armed.length > 0) this.#active = armed
    this.#state = this.#setState.find(applies)?.newState ?? this.#state
  }

  /** The error for this request. A `once` rule is used up by asking. */
  check(request: IoRequest): InjectedError | undefined {
    const hit = this.#active.find((rule) => matchesType(rule, request.type) && matchesSector(rule, request))
    // The first rule that matches decides, even for success.
    if (hit?.errno === undefined) return undefined
    if (hit.once) {
      this.#active = this.#active.filter((rule) => rule !== hit)
      this.#injectError = this.#injectError.filter((rule) => rule !== hit)
    }
    return { errno: hit.errno, immediately: hit.immediately }
  }
}

function matchesType(rule: InjectErrorRule, type: IoType): boolean {
  return rule.ioType === undefined ? type !== 'block-status' : rule.ioType === type
}

function matchesSector({ sector }: InjectErrorRule, { offset, bytes }: IoRequest): boolean {
  if (sector === undefined) return true
  const start = sector * 512
  return start >= offset && start < offset + bytes
}
