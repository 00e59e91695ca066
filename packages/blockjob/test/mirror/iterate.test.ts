/** Proves how dirty ranges get to the target: sizes and number of requests, block status asked once, guest writes seen. */
import { describe, expect, test } from 'vitest'
import { commit } from '../../src/index.ts'
import { contentOf, firstDifference, KiB, type LayerPlan, MiB, openChain, reread } from '../helpers/chain.ts'
import { settle } from '../helpers/manual-clock.ts'

const length = 64 * MiB

/** Two images, the upper one with 40 MiB of data from 8 MiB on. */
const plans: readonly LayerPlan[] = [
  { name: 'base', length },
  { name: 'top', length, writes: [[8 * MiB, 40 * MiB, 0x77]] },
]

test('16 copies of 1 MiB at a time, and one question for the whole run', async () => {
  const chain = await openChain(plans, { watched: true })
  const base = chain.layer('base').faults
  base.gate = async () => {
    await settle()
  }
  await commit(chain.graph, { top: chain.disk.root }).done
  expect(chain.requests.of('read').map(({ bytes }) => bytes)).toEqual(new Array(40).fill(MiB))
  expect(chain.requests.inFlightMax).toBeLessThanOrEqual(16)
  // The test format writes cluster by cluster, one at a time; what waits for its turn is still under way above it.
  expect(base.of('write')).toHaveLength(640)
  // Three questions find what is dirty, one tells how to copy it.
  expect(chain.requests.of('status').map(({ offset, bytes }) => [offset / MiB, bytes / MiB])).toEqual([
    [0, 64],
    [8, 56],
    [48, 16],
    [8, 40],
  ])
  await chain.graph.close()
})

test('never more than 16 under way', async () => {
  const chain = await openChain(plans, { watched: true })
  chain.requests.gate = async ({ operation }) => {
    if (operation === 'read') await settle()
  }
  await commit(chain.graph, { top: chain.disk.root }).done
  expect(chain.requests.inFlightMax).toBe(16)
  await chain.graph.close()
})

// Runs of a fragmented image end where the data lies elsewhere; copying them one by one would make small requests.
test('neighbouring runs of data are copied as one', async () => {
  const cluster = 64 * KiB
  const odd: (readonly [number, number, number])[] = []
  for (let at = 0; at < 4 * MiB; at += 2 * cluster) odd.push([at, cluster, 0x55])
  const chain = await openChain(
    [
      { name: 'base', length },
      { name: 'mid', length, writes: [[0, 4 * MiB, 0x44]] },
      { name: 'top', length, writes: odd },
    ],
    { watched: true },
  )
  const before = await contentOf(chain.disk)
  chain.requests.log = []
  await commit(chain.graph, { top: chain.disk.root }).done
  expect(chain.requests.of('read').map(({ bytes }) => bytes)).toEqual(new Array(4).fill(MiB))
  await chain.graph.close()
  expect(firstDifference(await reread(chain, 'base'), before)).toBeUndefined()
})

describe('zeroes', () => {
  const zeroed: readonly LayerPlan[] = [
    { name: 'base', length, writes: [[0, MiB, 0x11]] },
    { name: 'top', length },
  ]

  test('are written as zeroes that may be unmapped', async () => {
    const chain = await openChain(zeroed)
    await chain.disk.writeZeroes(0, 48 * MiB)
    await commit(chain.graph, { top: chain.disk.root }).done
    const base = chain.layer('base')
    expect(base.faults.of('write')).toEqual([])
    expect([...new Set(base.map.clusters.subarray(0, 768))]).toEqual([2])
    expect(chain.disk.root.nodeName).toBe('base')
    await chain.graph.close()
  })

  test('are data where the target cannot do better', async () => {
    const chain = await openChain([{ ...zeroed[0]!, without: ['writeZeroes'] }, zeroed[1]!])
    await chain.disk.writeZeroes(0, MiB)
    await commit(chain.graph, { top: chain.disk.root }).done
    await chain.graph.close()
    expect((await reread(chain, 'base')).every((byte) => byte === 0)).toBe(true)
    expect(chain.layer('base').faults.of('write').length).toBeGreaterThan(0)
  })

  // spec/qemu-img.md, section 13.5: a small write in a 4 KiB cluster makes the target's whole 64 KiB unit be copied.
  test('around data in the same unit are copied with it', async () => {
    const chain = await openChain([
      { name: 'base', length },
      { name: 'top', length, clusterSize: 4096, writes: [[100 * KiB, 4 * KiB, 0x66]] },
    ])
    await commit(chain.graph, { top: chain.disk.root }).done
    expect(chain.layer('base').map.allocated).toEqual([1])
    await chain.graph.close()
  })

  test('with a target of smaller clusters only what was written is copied', async () => {
    const chain = await openChain([
      { name: 'base', length, clusterSize: 4096 },
      { name: 'top', length, clusterSize: 4096, writes: [[100 * KiB, 4 * KiB, 0x66]] },
    ])
    await commit(chain.graph, { top: chain.disk.root }).done
    expect(chain.layer('base').map.allocated).toEqual([25])
    await chain.graph.close()
  })
})

// The bits are cleared before the copy reads: a write that comes between them makes its granule dirty again.
test('what a guest writes over a copy under way is copied again', async () => {
  const chain = await openChain(plans, { watched: true })
  let written = false
  chain.requests.gate = async ({ operation, offset }) => {
    if (operation !== 'read' || offset !== 9 * MiB || written) return
    written = true
    await chain.disk.write(9 * MiB + 5, new Uint8Array(10).fill(0xee))
    await settle()
  }
  const job = commit(chain.graph, { top: chain.disk.root })
  await job.done
  expect(written).toBe(true)
  expect(job.progress).toEqual({ current: 40 * MiB + 64 * KiB, total: 40 * MiB + 64 * KiB })
  await chain.graph.close()
  const base = await reread(chain, 'base')
  expect([...base.subarray(9 * MiB + 4, 9 * MiB + 16)]).toEqual([0x77, ...new Array(10).fill(0xee), 0x77])
})

// Whether the status is known or not, reading gives the data or the error.
test('a status that cannot be had means reading', async () => {
  const chain = await openChain(plans, { watched: true })
  const job = commit(chain.graph, { top: chain.disk.root, autoComplete: false })
  await job.whenReady()
  expect(job.ready).toBe(true)
  chain.requests.add({ operation: 'status', code: 'EIO' })
  await chain.disk.write(0, new Uint8Array(64 * KiB).fill(0x99))
  await job.completeSync()
  await chain.graph.close()
  expect((await reread(chain, 'base')).subarray(0, 64 * KiB).every((byte) => byte === 0x99)).toBe(true)
})
