/** Proves that without rules blkdebug does what every driver must do, also with limits that no device has. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { blkdebug } from '../src/index.ts'

describe.each([
  { name: 'plain', options: {} },
  { name: 'small limits', options: { align: 4096, maxTransfer: 8192, optWriteZero: 8192, maxDiscard: 4096 } },
])('$name', ({ options }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const store = new MemoryStore(bytes)
      const open = () =>
        createBlockGraph({ drivers: [], implicitOpen: 'deny' }).open(blkdebug({ ...options, image: memory(store) }), {
          unmap: true,
        })
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
