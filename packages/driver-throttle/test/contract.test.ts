/** Proves that throttle does what every driver must do, with and without limits. */

import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { type Clock, createThrottleDriver, ThrottleGroup, type ThrottleLimits } from '../src/index.ts'

/** Time flies: no timer takes longer than a turn of the event loop. */
function hurriedClock(): Clock {
  let now = 0
  return {
    now: () => now,
    setTimer: (delay, wake) => {
      const at = now + delay
      const immediate = setImmediate(() => {
        now = Math.max(now, at)
        wake()
      })
      return () => clearImmediate(immediate)
    },
  }
}

const limits: ThrottleLimits = { iopsTotal: 20, bpsRead: 1e6, bpsWrite: 5e5, iopsSize: 4096 }

describe.each([
  { name: 'no limits', group: new ThrottleGroup('g') },
  { name: 'limits', group: new ThrottleGroup('g', limits, { clock: hurriedClock() }) },
])('$name', ({ group }) => {
  const driver = createThrottleDriver({ groups: new Map([['g', group]]) })
  const can = { check: false, makeEmpty: false, shrink: true }
  const contract = driverContract(driver, { options: { 'throttle-group': 'g' }, can })
  for (const { name, run } of contractCases(contract)) test(name, run)
})
