/** Proves that a quorum does what every driver must do, over copies that overtake each other, one of them always failing. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, memory, randomPace } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { quorum } from '../src/index.ts'
import { FailingStore } from './support.ts'

describe.each([
  { name: 'votes', options: { voteThreshold: 2 }, failing: false },
  { name: 'votes, one copy failing', options: { voteThreshold: 2 }, failing: true },
  { name: 'votes, mending', options: { voteThreshold: 2, rewriteCorrupted: true }, failing: false },
  { name: 'one after the other', options: { voteThreshold: 3, readPattern: 'fifo' }, failing: false },
])('$name', ({ options, failing }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const stores = [1, 2, 3].map(() => new FailingStore(bytes))
      if (failing) stores[1]!.readFails = stores[1]!.writeFails = 'EIO'
      const children = stores.map((store, i) => memory(store, { pace: randomPace(i) }))
      const open = () =>
        createBlockGraph({ drivers: [], implicitOpen: 'deny' }).open(quorum({ ...options, children }), { unmap: true })
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
    can: { truncate: false, switchMode: false },
  })
  for (const { name, run } of cases) test(name, run)
})
