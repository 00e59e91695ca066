/** Proves that host files do what every driver must do, on both ways to the kernel and without native calls. */

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { contractCases } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { createFileDriver, type FileDriverSettings } from '../src/index.ts'
import { temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const variants: FileDriverSettings[] = [{ aio: 'sync' }, { aio: 'threads' }, { nativeCalls: false }]

describe.each(variants)('%j', (settings) => {
  const graph = createBlockGraph({ drivers: [createFileDriver(settings)], implicitOpen: 'deny' })
  const cases = contractCases({
    // Without native calls a discard does nothing, and what was there stays.
    can: { discardZeroes: settings.nativeCalls !== false },
    make: async (bytes) => {
      const name = join(folder, randomUUID())
      await graph.create('file', name, { size: bytes })
      const open = () => graph.open(name, { format: 'file', unmap: true })
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
