/** Proves that raw does what every driver must do. */

import { contractCases, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { createBlockGraph } from '@blocklayer/block-core'
import { describe, test } from 'vitest'
import { raw, rawDriver } from '../src/index.ts'

describe.each([
  { name: 'the whole file', options: {}, before: 0 },
  { name: 'a window', options: { offset: 1024 }, before: 1024 },
])('$name', ({ options, before }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const store = new MemoryStore(before + bytes)
      const open = () => {
        const graph = createBlockGraph({ drivers: [rawDriver], implicitOpen: 'deny' })
        return graph.open(raw({ ...options, file: memory(store) }), { unmap: true })
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
