/** Proves that look-ups give the longest uniform run, and that broken entries are corruption. */

import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { guestOffset, makeGeometry } from '../../src/format/geometry.ts'
import { clusterType, entryOffset } from '../../src/format/l2-entry.ts'
import { countRun } from '../../src/mapping/lookup.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536
const copied = 0x80000000
const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })

/** An image whose first L2 entries are `entries`, as pairs of halves. */
async function withEntries(entries: readonly (readonly [number, number])[], compat = '1.1') {
  const file = new MemoryChild(await newImage(1024 * 1024 * 1024, { compat }))
  const opened = await openOn(file)
  const { l2Tables } = opened.image
  const slot = await l2Tables.loadForUpdate(guestOffset(0))
  entries.forEach(([high, low], index) => {
    l2Tables.cache.view.setUint32(l2Tables.cache.start(slot) + index * 8, high)
    l2Tables.cache.view.setUint32(l2Tables.cache.start(slot) + index * 8 + 4, low)
  })
  const find = (offset: number, bytes: number) => opened.image.lookup.find(guestOffset(offset), bytes)
  return { ...opened, find }
}

test('runs of every type', async () => {
  const { find } = await withEntries([
    [copied, 0x50000],
    [0, 0x60000],
    [copied, 0x80000],
    [0, 1],
    [0, 1],
    [copied, 0x90001],
    [0, 0xa0001],
    [0, 0],
    [0x40000000, 0xb0000],
    [0x40000000, 0xc0000],
  ])
  expect(await find(0, 100 * cluster)).toMatchObject({ type: 'normal', bytes: 2 * cluster, hostOffset: 0x50000 })
  expect(await find(cluster + 512, 512)).toMatchObject({ type: 'normal', bytes: 512, hostOffset: 0x60200 })
  expect(await find(2 * cluster + 1, 2 * cluster)).toMatchObject({ type: 'normal', bytes: cluster - 1 })
  expect(await find(3 * cluster, 100 * cluster)).toMatchObject({
    type: 'zero-plain',
    bytes: 2 * cluster,
    hostOffset: 0,
  })
  expect(await find(5 * cluster, 100 * cluster)).toMatchObject({
    type: 'zero-alloc',
    bytes: 2 * cluster,
    hostOffset: 0x90000,
  })
  expect(await find(7 * cluster, 2 * cluster)).toMatchObject({ type: 'unallocated', bytes: cluster })
  expect(await find(8 * cluster, 2 * cluster)).toMatchObject({ type: 'compressed', bytes: cluster, low: 0xb0000 })
})

test('a run ends with its slice, also where there is no table', async () => {
  const { find } = await withEntries([[copied, 0x50000]])
  const table = 8192 * cluster
  expect(await find(10 * cluster, 2 * table)).toMatchObject({ type: 'unallocated', bytes: table - 10 * cluster })
  expect(await find(table + 7, 2 * table)).toMatchObject({ type: 'unallocated', bytes: table - 7 })
})

describe('broken entries', () => {
  test.each([
    {
      entry: [copied, 0x50200],
      message: 'Cluster allocation offset 0x50200 unaligned (L2 offset: 0x40000, L2 index: 0)',
    },
    { entry: [0, 0x50201], message: 'Cluster allocation offset 0x50200 unaligned (L2 offset: 0x40000, L2 index: 0)' },
    {
      entry: [0, 1],
      compat: '0.10',
      message: 'Zero cluster entry found in pre-v3 image (L2 offset: 0x40000, L2 index: 0)',
    },
  ] as const)('$message', async ({ entry, message, ...rest }) => {
    const { find, lines } = await withEntries([entry], 'compat' in rest ? rest.compat : '1.1')
    expect(await failureOf(() => find(0, 512))).toBe('EIO Input/output error')
    expect(lines[0]).toContain(`Marking image as corrupt: ${message};`)
  })
})

test.each([1, 2, 3])('countRun equals its definition, seed %i', (seed) => {
  const choose = random(seed)
  const pool = [
    [0, 0],
    [0, 1],
    [copied, 0x50000],
    [copied, 0x60000],
    [0, 0x70000],
    [copied, 0x50001],
    [0x40000000, 0x1234],
  ] as const
  const view = new DataView(new ArrayBuffer(64 * 8))
  for (let round = 0; round < 200; round++) {
    for (let index = 0; index < 64; index++) {
      const [high, low] = choose.chance(0.7) && index > 0 ? next(view, index - 1) : choose.pick(pool)
      view.setUint32(index * 8, high)
      view.setUint32(index * 8 + 4, low)
    }
    const start = choose.below(64)
    const count = 1 + choose.below(64 - start)
    expect(countRun(view, start * 8, count, geometry)).toBe(definition(view, start, count))
  }
})

/** The entry that would continue the one at `index`. */
function next(view: DataView, index: number): readonly [number, number] {
  const high = view.getUint32(index * 8)
  const low = view.getUint32(index * 8 + 4)
  return entryOffset(high, low) === 0 || (high & 0x40000000) !== 0 ? [high, low] : [high, low + 0x10000]
}

function definition(view: DataView, start: number, count: number): number {
  const of = (index: number) => {
    const high = view.getUint32(index * 8)
    const low = view.getUint32(index * 8 + 4)
    return { type: clusterType(high, low, { extendedL2: false }), host: entryOffset(high, low) }
  }
  const first = of(start)
  if (first.type === 'compressed') return 1
  let run = 1
  while (run < count) {
    const { type, host } = of(start + run)
    const follows = first.host === 0 || host === first.host + run * 0x10000
    if (type !== first.type || !follows) return run
    run++
  }
  return run
}
