/** A plan counts every cluster once, itself included, however the refcount structures have to grow. */

import { describe, expect, test } from 'vitest'
import { RefcountPlan } from '../../../src/features/create/refcount-plan.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'
import { getRefcount } from '../../../src/format/refcount-bits.ts'

const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 6 })

/** Clusters that the plan counts. */
function counted(plan: RefcountPlan): number[] {
  const found: number[] = []
  plan.blocks.forEach((cluster, index) => {
    if (cluster === 0) return
    const block = new Uint8Array(512)
    plan.encodeBlock(index, block)
    for (let entry = 0; entry < 64; entry++) if (getRefcount(block, 6, entry) === 1) found.push(index * 64 + entry)
  })
  return found
}

test('a new plan has header, table and one block', () => {
  const plan = new RefcountPlan(geometry)
  expect([plan.tableCluster, plan.tableClusters, plan.blocks[0], plan.end]).toEqual([1, 1, 2, 3])
  expect(counted(plan)).toEqual([0, 1, 2])
})

test('clusters are taken in order', () => {
  const plan = new RefcountPlan(geometry)
  expect([plan.allocate(2), plan.allocate(1)]).toEqual([3, 5])
  plan.allocateAt(10, 2)
  expect(plan.allocate(4)).toBe(6)
  expect(plan.allocate(1)).toBe(12)
})

describe.each([61, 62, 500, 5000, 20000])('%i clusters in a row', (count) => {
  test('are counted with all that counts them', () => {
    const plan = new RefcountPlan(geometry)
    const first = plan.allocate(count)
    const structures = [...plan.blocks].filter((cluster) => cluster !== 0)
    const table = Array.from({ length: plan.tableClusters }, (_, index) => plan.tableCluster + index)
    const taken = Array.from({ length: count }, (_, index) => first + index)
    const all = [0, ...structures, ...table, ...taken].sort((a, b) => a - b)
    expect(new Set(all).size).toBe(all.length)
    expect(counted(plan)).toEqual(all)
    expect(plan.end).toBe(all.at(-1)! + 1)
  })
})

test('a table that moves gives its place back', () => {
  const plan = new RefcountPlan(geometry)
  const end = plan.growArea(plan.end, 1000, true)
  expect(plan.tableCluster).toBeGreaterThan(2)
  expect(plan.end).toBe(end)
  expect(plan.allocate(1)).toBe(1)
})
