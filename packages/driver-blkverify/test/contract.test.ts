/** Proves that blkverify does what every driver must do, over two copies that answer in their own order and time. */

import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases, MemoryStore, memory, randomPace } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { blkverify } from '../src/index.ts'

describe.each([
  { name: 'equal copies', pace: undefined },
  { name: 'copies that overtake each other', pace: randomPace },
])('$name', ({ pace }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const [raw, image] = [new MemoryStore(bytes), new MemoryStore(bytes)]
      const spec = (store: MemoryStore, seed: number) => memory(store, pace === undefined ? {} : { pace: pace(seed) })
      const open = () =>
        createBlockGraph({ drivers: [], implicitOpen: 'deny' }).open(
          blkverify({ raw: spec(raw, 1), test: spec(image, 2) }),
          { unmap: true },
        )
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
