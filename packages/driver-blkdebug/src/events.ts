/** Where the graph delivers events: to the rules first, then to the breakpoints. */

import type { BlkdebugEvent, DebugSupport } from '@blocklayer/block-core/driver'
import type { RuleMachine } from './rules.ts'
import type { Breakpoints } from './suspend.ts'

/** Joins rules and breakpoints into what the graph knows as a listener. */
export function debugSupport(rules: RuleMachine, breakpoints: Breakpoints): DebugSupport {
  return {
    // Rules act at once, so that the state has changed before the request stops.
    event: (event: BlkdebugEvent): Promise<void> => {
      rules.event(event)
      return breakpoints.stopAt(event)
    },
    setBreakpoint: (event, tag) => breakpoints.set(event, tag),
    removeBreakpoint: (tag) => breakpoints.remove(tag),
    resume: (tag) => breakpoints.resume(tag),
    isSuspended: (tag) => breakpoints.isSuspended(tag),
    untilSuspended: (tag) => breakpoints.untilSuspended(tag),
  }
}
