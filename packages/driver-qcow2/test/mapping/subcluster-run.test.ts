/** Proves that runs of subclusters are as long as their definition says, over random entries. */

import { type Random, random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { makeGeometry } from '../../src/format/geometry.ts'
import { clusterType, entryOffset } from '../../src/format/l2-entry.ts'
import { storeSubclusters, subclusterMask, subclusterType } from '../../src/format/subclusters.ts'
import { countSubclusters, hasHostCluster, subclusterTypeAt } from '../../src/mapping/subcluster-run.ts'

const cluster = 0x10000
const entries = 8
const geometry = makeGeometry({ clusterBits: 16, extendedL2: true, refcountOrder: 4 })

function fill(view: DataView, choose: Random): void {
  let next = 16
  for (let entry = 0; entry < entries; entry++) {
    const at = entry * 16
    const kind = choose.below(10)
    next += choose.chance(0.7) ? 1 : 5
    view.setUint32(at, kind < 6 ? 0x80000000 : kind < 7 ? 0x40000000 : 0)
    view.setUint32(at + 4, kind < 6 ? next * cluster : kind < 7 ? 0x1234 : 0)
    const zeroBits = choose.pick([0, 0xffffffff, subclusterMask(choose.below(32), 32)])
    const allocBits = kind < 6 ? choose.pick([0, 0xffffffff & ~zeroBits, subclusterMask(0, 4) & ~zeroBits]) : 0
    storeSubclusters(view, at, kind === 6 ? 0 : zeroBits, choose.chance(0.02) ? 0xffffffff : allocBits)
  }
}

interface Subcluster {
  readonly type: string
  readonly host: number
}

function subclusterAt(view: DataView, number: number): Subcluster {
  const at = Math.floor(number / 32) * 16
  const high = view.getUint32(at)
  const low = view.getUint32(at + 4)
  const index = number % 32
  const type = subclusterType(clusterType(high, low, geometry), view.getUint32(at + 8), view.getUint32(at + 12), index)
  return { type, host: hasHostCluster(type) ? entryOffset(high, low) + index * (cluster / 32) : -1 }
}

function definition(view: DataView, start: number, end: number): number {
  const first = subclusterAt(view, start)
  if (first.type === 'invalid') return -1
  for (let number = start + 1; number < end; number++) {
    const { type, host } = subclusterAt(view, number)
    if (type === 'invalid') return -1 - (Math.floor(number / 32) - Math.floor(start / 32))
    const follows = first.host < 0 || host === first.host + (number - start) * (cluster / 32)
    const isAlone = first.type === 'compressed' && number % 32 === 0
    if (type !== first.type || !follows || isAlone) return number - start
  }
  return end - start
}

test.each([1, 2, 3, 4])('seed %i', (seed) => {
  const choose = random(seed)
  const view = new DataView(new ArrayBuffer(entries * 16))
  for (let round = 0; round < 3000; round++) {
    fill(view, choose)
    const start = choose.below(entries * 32)
    const firstEntry = Math.floor(start / 32)
    const entryCount = 1 + choose.below(entries - firstEntry)
    const question = { first: start % 32, entryCount, geometry }
    expect(subclusterTypeAt(view, firstEntry * 16, start % 32, geometry)).toBe(subclusterAt(view, start).type)
    expect(countSubclusters(view, firstEntry * 16, question), `seed ${seed}, round ${round}`).toBe(
      definition(view, start, (firstEntry + entryCount) * 32),
    )
  }
})
