/** Proves that compress does what every driver must do, over a format that can compress. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases } from '@blocklayer/block-core/testing'
import { test } from 'vitest'
import { compress } from '../src/index.ts'
import { ToyDisk, toy } from './support.ts'

const cases = contractCases({
  make: async (bytes) => {
    const disk = new ToyDisk(bytes)
    const open = () =>
      createBlockGraph({ drivers: [], implicitOpen: 'deny' }).open(compress({ file: toy(disk) }), { unmap: true })
    let backend = await open()
    return {
      get disk() {
        return backend
      },
      reopen: async () => {
        await backend.close()
        backend = await open()
        return backend
      },
      cleanUp: () => backend.close(),
    }
  },
})
for (const { name, run } of cases) test(name, run)
