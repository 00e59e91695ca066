/** Proves that raw does what every driver must do. */

import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { rawDriver } from '../src/index.ts'

const abilities = { check: false, makeEmpty: false, switchMode: true, shrink: true }

describe.each([
  { name: 'the whole file', contract: { can: abilities } },
  {
    name: 'a window that ends with the file',
    contract: { can: abilities, options: { offset: 1024 }, image: (bytes: number) => new Uint8Array(1024 + bytes) },
  },
])('$name', ({ contract }) => {
  for (const { name, run } of contractCases(driverContract(rawDriver, contract))) test(name, run)
})
