/** Proves that without rules blkdebug does what every driver must do, also with limits that no device has. */

import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { blkdebugDriver } from '../src/index.ts'

describe.each([
  { name: 'plain', options: {} },
  {
    name: 'small limits',
    options: { align: 4096, 'max-transfer': 8192, 'opt-write-zero': 8192, 'max-discard': 4096 },
  },
])('$name', ({ options }) => {
  const contract = driverContract(blkdebugDriver, { options, can: { check: false, makeEmpty: false } })
  for (const { name, run } of contractCases(contract)) test(name, run)
})
