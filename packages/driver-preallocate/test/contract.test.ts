/** Proves that preallocate does what every driver must do, for users that grow it and for those that do not. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { test } from 'vitest'
import { preallocate } from '../src/index.ts'

const cases = contractCases({
  make: async (bytes) => {
    const store = new MemoryStore(bytes)
    const open = () => {
      const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
      const spec = preallocate({ preallocSize: 65536, preallocAlign: 4096, file: memory(store) })
      return graph.open(spec, { unmap: true })
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
