/** Proves that host files do what every driver must do, on every way to the kernel: blocking and pooled,
 * with and without the page cache, with and without native calls. */

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createBlockGraph, type FlatOptions } from '@blocklayer/block-core'
import { contractCases } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { createFileDriver, type FileDriverSettings } from '../src/index.ts'
import { noDirectIo, temporaryFolder } from './support.ts'

const folder = temporaryFolder()

interface Variant {
  readonly settings: FileDriverSettings
  /** Past the page cache. */
  readonly direct?: boolean
  /** Open for writing only while somebody may write. */
  readonly onDemand?: boolean
}

const variants: readonly Variant[] = [
  { settings: { aio: 'sync' } },
  { settings: { aio: 'threads' } },
  { settings: { nativeCalls: false } },
  { settings: { aio: 'threads' }, direct: true },
  { settings: { aio: 'sync' }, direct: true },
  { settings: {}, onDemand: true },
]

for (const { settings, direct = false, onDemand = false } of variants) {
  // Skipped by name where the file system has no O_DIRECT.
  describe.skipIf(direct && noDirectIo)(JSON.stringify({ settings, direct, onDemand }), () => {
    const graph = createBlockGraph({ drivers: [createFileDriver(settings)], implicitOpen: 'deny' })
    const cases = contractCases({
      // Without native calls a discard does nothing, and what was there stays.
      can: { discardZeroes: settings.nativeCalls !== false },
      make: async (bytes) => {
        const name = join(folder, randomUUID())
        await graph.create('file', name, { size: bytes })
        const options: FlatOptions = new Map([
          ['driver', 'file'],
          ['filename', name],
          ['auto-read-only', onDemand ? 'on' : 'off'],
        ])
        const open = () => graph.open(options, { unmap: true, cache: { direct } })
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
}
