// The timing loop makes every request of its plan at the place the plan says, and ends with the first failure once no
// other request is under way.

import { createBlockGraph } from '@blocklayer/block-core'
import { FaultStore, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { type BenchPlan, benchDisk } from '../src/bench-disk.ts'

const kib = 1024
const plan: BenchPlan = {
  write: true,
  count: 4,
  depth: 3,
  offset: 8 * kib,
  bytes: 4 * kib,
  step: 16 * kib,
  pattern: 0x5a,
  flushInterval: 0,
  drain: true,
}

/** Runs a plan on 64 KiB of memory. */
async function run(store: MemoryStore, changes: Partial<BenchPlan>): Promise<number> {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  await using disk = await graph.open(memory(store))
  return await benchDisk(disk, { ...plan, ...changes })
}

test('writes go a step further each time', async () => {
  const store = new MemoryStore(64 * kib)
  const seconds = await run(store, {})
  expect(seconds).toBeGreaterThan(0)
  const content = store.bytes()
  for (let page = 0; page < 16; page++) {
    const written = page % 4 === 2
    expect(content.subarray(page * 4 * kib, (page + 1) * 4 * kib).every((byte) => byte === (written ? 0x5a : 0))).toBe(
      true,
    )
  }
})

test('past the end it goes on at the beginning', async () => {
  const store = new MemoryStore(64 * kib)
  await run(store, { offset: 60 * kib, step: 8 * kib, count: 2 })
  expect([store.bytes()[60 * kib], store.bytes()[4 * kib], store.bytes()[0]]).toEqual([0x5a, 0x5a, 0])
})

test.each([true, false])('flushes come at their interval (drain: %s)', async (drain) => {
  const store = new FaultStore(64 * kib)
  store.arm({ index: 1, code: 'EIO', kinds: ['flush'] })
  await expect(run(store, { count: 6, flushInterval: 3, drain })).rejects.toMatchObject({ code: 'EIO' })
})

test('the first failure ends it', async () => {
  const store = new FaultStore(64 * kib)
  store.arm({ index: 2, code: 'ENOSPC', kinds: ['write'] })
  await expect(run(store, { count: 100, depth: 1 })).rejects.toMatchObject({ code: 'ENOSPC' })
  expect([24, 40, 56].map((at) => store.bytes()[at * kib])).toEqual([0x5a, 0, 0])
})

test('reads change nothing', async () => {
  const store = new MemoryStore(64 * kib)
  await run(store, { write: false, count: 100 })
  expect(store.bytes().every((byte) => byte === 0)).toBe(true)
})

test('it tells how far it is, and can be stopped when no request is under way', async () => {
  const store = new MemoryStore(64 * kib)
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  await using disk = await graph.open(memory(store))
  const told: number[] = []
  const stop = new AbortController()
  const onProgress = ({ current }: { readonly current: number }): void => {
    told.push(current)
    if (told.length === 2) stop.abort(new Error('enough'))
  }
  await expect(benchDisk(disk, plan, { signal: stop.signal, onProgress })).rejects.toThrow('enough')
  expect(told).toEqual([4 * kib, 8 * kib])
  expect(store.bytes().filter((byte) => byte === 0x5a)).toHaveLength(8 * kib)
})
