/** Proves that blklogwrites does what every driver must do, in small and in large log sectors. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { blklogwrites } from '../src/index.ts'

describe.each([
  { name: 'sectors of 512', options: {} },
  { name: 'sectors of 32, many superblocks', options: { logSectorSize: 32, logSuperUpdateInterval: 2 } },
  { name: 'sectors of 4096', options: { logSectorSize: 4096 } },
])('$name', ({ options }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const store = new MemoryStore(bytes)
      const open = () => {
        const spec = blklogwrites({ ...options, file: memory(store), log: memory(new MemoryStore()) })
        return createBlockGraph({ drivers: [], implicitOpen: 'deny' }).open(spec, { unmap: true })
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
