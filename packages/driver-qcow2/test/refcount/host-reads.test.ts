/** Proves that reads are counted, and that idleness is waited for. */

import { expect, test } from 'vitest'
import { HostReads } from '../../src/refcount/host-reads.ts'

test('idle when the last read has ended', async () => {
  const reads = new HostReads()
  await reads.idle()
  reads.begin()
  reads.begin()
  let idle = 0
  const waiting = Promise.all([reads.idle().then(() => idle++), reads.idle().then(() => idle++)])
  reads.end()
  await Promise.resolve()
  expect([reads.active, idle]).toEqual([true, 0])
  reads.end()
  await waiting
  expect([reads.active, idle]).toEqual([false, 2])
})
