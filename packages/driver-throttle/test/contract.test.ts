/** Proves that throttle does what every driver must do, with and without limits. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { type Clock, ThrottleGroup, throttle } from '../src/index.ts'

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

describe.each([
  { name: 'no limits', limits: {} },
  { name: 'limits', limits: { iopsTotal: 20, bpsRead: 1e6, bpsWrite: 5e5, iopsSize: 4096 } },
])('$name', ({ limits }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const store = new MemoryStore(bytes)
      const group = new ThrottleGroup('g', limits, { clock: hurriedClock() })
      const open = () => {
        const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
        return graph.open(throttle({ group, file: memory(store) }), { unmap: true })
      }
      let disk = await open()
      return {
        get disk() {
          return disk
        },
        reopen: async () => {
          await disk.close()
          disk = await open()
          return disk
        },
        cleanUp: () => disk.close(),
      }
    },
  })
  for (const { name, run } of cases) test(name, run)
})
