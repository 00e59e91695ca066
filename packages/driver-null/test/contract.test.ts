/** Proves that the null drivers do what every driver must do that cannot keep what is written. */

import { contractCases } from '@blocklayer/block-core/testing'
import { createBlockGraph } from '@blocklayer/block-core'
import { describe, test } from 'vitest'
import { nullAio, nullCo } from '../src/index.ts'

describe.each([
  { name: 'null-co', spec: nullCo },
  { name: 'null-aio', spec: nullAio },
])('$name', ({ spec }) => {
  const cases = contractCases({
    make: async (bytes) => {
      const open = () =>
        createBlockGraph({ drivers: [], implicitOpen: 'deny' }).open(spec({ size: bytes, readZeroes: true }), {
          readOnly: true,
        })
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
    can: { write: false, zeroInit: true },
  })
  for (const { name, run } of cases) test(name, run)
})
