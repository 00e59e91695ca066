/** Proves that copy-on-read does what every driver must do. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { test } from 'vitest'
import { copyOnRead } from '../src/index.ts'

const cases = contractCases({
  make: async (bytes) => {
    const store = new MemoryStore(bytes)
    const open = () => {
      const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
      return graph.open(copyOnRead({ file: memory(store) }), { unmap: true })
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
