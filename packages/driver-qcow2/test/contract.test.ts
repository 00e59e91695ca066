/** Proves that qcow2 does what every driver must do, in each corner of its parameters. */

import { contractCases, MemoryStore } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { newImage, openDisk } from './helpers/disk.ts'

const shapes = [
  { name: 'the defaults', options: {} },
  { name: 'version 2', options: { compat: '0.10' } },
  { name: '512-byte clusters, 64-bit refcounts', options: { clusterSize: 512, refcountBits: 64 } },
  { name: '2 MiB clusters, 1-bit refcounts', options: { clusterSize: 2 * 1024 * 1024, refcountBits: 1 } },
  { name: 'lazy refcounts', options: { lazyRefcounts: true, clusterSize: 4096 } },
]

describe.each(shapes)('$name', ({ options }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const store = new MemoryStore(await newImage(bytes, options))
      let opened = await openDisk(store, { unmap: true })
      return {
        get disk() {
          return opened.disk
        },
        reopen: async () => {
          await opened.close()
          opened = await openDisk(store, { unmap: true })
          return opened.disk
        },
        cleanUp: () => opened.close(),
      }
    },
  })
  for (const { name, run } of cases) test(name, run)
})
