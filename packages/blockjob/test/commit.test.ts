/** Proves the commit job as its users see it: what ends up where, which arguments are refused, and guests that write on. */
import { memory, MemoryStore, type Random, random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { commit, type JobEvent, jobsOf } from '../src/index.ts'
import {
  type Chain,
  contentOf,
  firstDifference,
  KiB,
  type LayerPlan,
  MiB,
  openChain,
  reread,
  threeImages,
} from './helpers/chain.ts'
import { messageOf, shortly } from './helpers/test-job.ts'

test('a commit into the bottom brings everything down and moves the users', async () => {
  const chain = await openChain(threeImages)
  const before = await contentOf(chain.disk)
  const events: JobEvent[] = []
  const job = commit(chain.graph, { top: chain.disk.root, onEvent: (event) => events.push(event) })
  expect([job.id, job.type, jobsOf(chain.graph)]).toEqual(['commit0', 'commit', [job]])
  await job.done
  expect(chain.disk.root.nodeName).toBe('base')
  expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
  expect(chain.graph.nodes.map(({ nodeName }) => nodeName)).not.toContain('top')
  expect(jobsOf(chain.graph)).toEqual([])
  await chain.graph.close()
  expect(firstDifference(await reread(chain, 'base'), before)).toBeUndefined()
  // spec/jobs.md, section 28
  expect(shortly(events).join(' ')).toBe(
    'created running ready BLOCK_JOB_READY waiting pending BLOCK_JOB_COMPLETED concluded null',
  )
})

test('finalize by hand: nobody moves before', async () => {
  const chain = await openChain(threeImages)
  const job = commit(chain.graph, { top: chain.disk.root, autoFinalize: false, autoDismiss: false })
  await job.whenReady()
  await job.completeSync()
  expect([job.status, chain.disk.root.nodeName]).toEqual(['pending', 'top'])
  job.finalize()
  await job.done
  expect([job.status, chain.disk.root.nodeName]).toEqual(['concluded', 'base'])
  job.dismiss()
  await chain.graph.close()
})

describe('refused at once', () => {
  test('an image into itself', async () => {
    const chain = await openChain(threeImages)
    const text = 'cannot commit an image into itself'
    expect(await messageOf(() => commit(chain.graph, { top: chain.disk.root, base: chain.disk.root }))).toBe(text)
    expect(await messageOf(() => commit(chain.graph, { top: chain.node('base') }))).toBe(text)
    await chain.graph.close()
  })

  test('a base of another chain', async () => {
    const chain = await openChain(threeImages)
    const other = await chain.graph.open({ ...memory(new MemoryStore(MiB)), nodeName: 'other' })
    expect(await messageOf(() => commit(chain.graph, { top: chain.disk.root, base: other.root }))).toBe(
      "'other' is not in this backing file chain",
    )
    await chain.graph.close()
  })

  test('a negative speed and a bad id, leaving no job behind', async () => {
    const chain = await openChain(threeImages)
    const top = chain.disk.root
    expect(await messageOf(() => commit(chain.graph, { top, speed: -1 }))).toBe(
      "Parameter 'speed' expects a non-negative value",
    )
    expect(await messageOf(() => commit(chain.graph, { top, jobId: '7' }))).toBe("Invalid job ID '7'")
    expect(jobsOf(chain.graph)).toEqual([])
    await chain.graph.close()
  })
})

describe('guests that write while it runs', () => {
  const plans: readonly LayerPlan[] = [
    { name: 'base', length: 8 * MiB, writes: [[0, 3 * MiB, 0x11]] },
    { name: 'mid', length: 8 * MiB, writes: [[2 * MiB, 2 * MiB, 0x22]] },
    { name: 'top', length: 8 * MiB, clusterSize: 16 * KiB, writes: [[5 * MiB, 2 * MiB, 0x33]] },
  ]

  /** One random write, to the disk and to the model. */
  async function guestWrite(chain: Chain, model: Uint8Array, { below, chance }: Random): Promise<void> {
    const offset = below(8 * MiB - 1)
    const bytes = Math.min(1 + below(chance(0.5) ? 4096 : 300 * KiB), 8 * MiB - offset)
    if (chance(0.2)) {
      model.fill(0, offset, offset + bytes)
      await chain.disk.writeZeroes(offset, bytes)
      return
    }
    const value = 1 + below(255)
    model.fill(value, offset, offset + bytes)
    await chain.disk.write(offset, new Uint8Array(bytes).fill(value))
  }

  const seeds = process.env.SEED === undefined ? [1, 2, 3, 4, 5, 6, 7, 8] : [Number(process.env.SEED)]

  test.each(seeds)('find all of it in the base (seed %i; SEED=… for another)', async (seed) => {
    const chance = random(seed)
    const chain = await openChain(plans)
    const model = await contentOf(chain.disk)
    // Requests take turns of random length, so that copies and guest writes overlap in every way.
    for (const { faults } of chain.layers) {
      faults.gate = async () => {
        for (let turns = chance.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const job = commit(chain.graph, { top: chain.disk.root, autoComplete: seed % 2 === 0, onError: 'ignore' })
    if (seed % 3 === 0) chain.layer('base').faults.add({ operation: 'write', code: 'EIO', times: 5 })
    for (let write = 0; write < 60; write++) await guestWrite(chain, model, chance)
    if (seed % 2 === 1) {
      await job.whenReady()
      // One after the other, as they go to one disk: the model has no other order.
      const writes = (async () => {
        for (let write = 0; write < 20; write++) await guestWrite(chain, model, chance)
      })()
      await Promise.all([job.completeSync(), writes])
    }
    await job.done
    expect(chain.disk.root.nodeName).toBe('base')
    expect(firstDifference(await contentOf(chain.disk), model)).toBeUndefined()
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'base'), model)).toBeUndefined()
  })
})
