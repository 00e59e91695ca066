// Proves that slab does what every driver must do, with small clusters and with large ones.
import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { slabDriver } from '../src/index.ts'

describe.each([
  { name: 'the defaults', contract: { can: { discardZeroes: true } } },
  { name: '4 KiB clusters', contract: { create: { cluster_size: 4096 }, can: { discardZeroes: true } } },
  {
    name: '512 KiB clusters, never used again',
    contract: { create: { cluster_size: '512k' }, options: { reuse: false } },
  },
])('$name', ({ contract }) => {
  const can = { ...contract.can, check: true, makeEmpty: false, shrink: true, switchMode: true }
  for (const { name, run } of contractCases(driverContract(slabDriver, { ...contract, can }))) test(name, run)
})
