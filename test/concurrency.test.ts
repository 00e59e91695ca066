// Proves that requests in flight together always leave a disk that one serial order explains: raw and qcow2, over memory
// and over files, whole sectors and odd bytes. `pnpm concurrency` is the same with 100,000 operations and several seeds.
import { seeds } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { layoutName, layouts } from './concurrency/layouts.ts'
import { runConcurrency } from './concurrency/run.ts'

describe.each(layouts.map((layout) => [layoutName(layout), layout] as const))('%s', (_, layout) => {
  test.each(seeds(1, 2))('seed %d', async (seed) => {
    const report = await runConcurrency({ layout, seed, operations: 2000, round: 1000 })
    expect([report.inFlightMax, report.rounds]).toEqual([64, 2])
    for (const count of Object.values(report.byKind)) expect(count).toBeGreaterThan(50)
  })
})
