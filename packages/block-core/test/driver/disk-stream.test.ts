/** Proves that runs of zeroes are written whole, or gone over where that can be done. */

import { expect, test } from 'vitest'
import { isZero } from '../../src/index.ts'
import { type ByteSink, writeZeroRun } from '../../src/driver/disk-stream.ts'

function counting(canSkip: boolean) {
  const seen = { written: 0, skipped: 0, calls: 0 }
  const sink: ByteSink = {
    write: async (bytes) => {
      expect(isZero(bytes)).toBe(true)
      seen.written += bytes.length
      seen.calls++
    },
  }
  const skip = async (bytes: number): Promise<void> => {
    seen.skipped += bytes
    seen.calls++
  }
  return { seen, sink: canSkip ? { ...sink, skip } : sink }
}

test.each([0, 1, 2 ** 20, 3_000_000])('%i zeroes', async (bytes) => {
  const writing = counting(false)
  await writeZeroRun(writing.sink, bytes)
  expect(writing.seen).toEqual({ written: bytes, skipped: 0, calls: Math.ceil(bytes / 2 ** 20) })
  const skipping = counting(true)
  await writeZeroRun(skipping.sink, bytes)
  expect(skipping.seen).toEqual({ written: 0, skipped: bytes, calls: bytes === 0 ? 0 : 1 })
})
