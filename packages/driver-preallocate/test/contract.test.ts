/** Proves that preallocate does what every driver must do. */

import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { test } from 'vitest'
import { preallocateDriver } from '../src/index.ts'

const contract = driverContract(preallocateDriver, {
  options: { 'prealloc-size': 65536, 'prealloc-align': 4096 },
  can: { check: false, makeEmpty: false, shrink: true },
})
for (const { name, run } of contractCases(contract)) test(name, run)
