/** Proves the sequence of `qemu-img commit`: what is emptied when, what is held, and which words say what failed. */
import { BlockError, type JobProgress } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { commitImage, jobsOf } from '../src/index.ts'
import { contentOf, firstDifference, MiB, openChain, reread, threeImages } from './helpers/chain.ts'
import { failureOf, messageOf } from './helpers/test-job.ts'

const topData = threeImages[2]!.writes

describe('success', () => {
  test('into the immediate backing file; the overlay is empty afterwards', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    const progress: JobProgress[] = []
    await commitImage(chain.graph, chain.disk, { onProgress: (pair) => progress.push(pair) })
    expect(progress.at(-1)).toEqual({ current: 262144, total: 262144 })
    expect(chain.disk.root.nodeName).toBe('mid')
    expect(chain.layer('top').map.allocated).toEqual([])
    // Only the disk's own chain is open: the overlay was held for emptying, no longer.
    expect(chain.graph.nodes.map(({ nodeName }) => nodeName)).not.toContain('top')
    await chain.graph.close()
    for (const name of ['mid', 'top']) expect(firstDifference(await reread(chain, name), before)).toBeUndefined()
    expect(chain.layer('base').map.changes).toBe(0)
  })

  test('-d leaves the overlay as it is', async () => {
    const chain = await openChain(threeImages)
    await commitImage(chain.graph, chain.disk, { drop: true })
    expect(chain.layer('top').map).toMatchObject({ changes: 0, allocated: [32, 33, 34, 35] })
    await chain.graph.close()
  })

  test.each(['mid', 'base'])('-b %s leaves the overlay as it is', async (name) => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    await commitImage(chain.graph, chain.disk, { base: chain.node(name) })
    expect(chain.disk.root.nodeName).toBe(name)
    expect(chain.layer('top').map.changes).toBe(0)
    await chain.graph.close()
    for (const image of [name, 'top']) expect(firstDifference(await reread(chain, image), before)).toBeUndefined()
  })

  test('a format that cannot be emptied keeps its data, and a filter what is below it', async () => {
    const chain = await openChain([threeImages[0]!, { ...threeImages[2]!, without: ['makeEmpty'] }])
    await commitImage(chain.graph, chain.disk)
    expect(chain.layer('top').map.allocated).toHaveLength(4)
    await chain.graph.close()
    const watched = await openChain(threeImages, { watched: true })
    await commitImage(watched.graph, watched.disk)
    expect(watched.layer('top').map.allocated).toHaveLength(4)
    await watched.graph.close()
  })

  test('an empty overlay', async () => {
    const chain = await openChain([threeImages[0]!, { name: 'top', length: 4 * MiB }])
    await commitImage(chain.graph, chain.disk)
    expect(chain.disk.root.nodeName).toBe('base')
    await chain.graph.close()
  })
})

// Emptying first and flushing after would lose the data in a power cut between them.
test('nothing in the overlay is touched before the base has been flushed', async () => {
  const chain = await openChain(threeImages)
  const top = chain.layer('top')
  const changesAtFlush: number[] = []
  chain.layer('mid').faults.gate = async ({ operation }) => {
    if (operation === 'flush') changesAtFlush.push(top.map.changes)
  }
  await commitImage(chain.graph, chain.disk)
  expect(changesAtFlush).toEqual([0])
  expect(top.map.changes).toBeGreaterThan(0)
  await chain.graph.close()
})

describe('failure', () => {
  test('no backing file', async () => {
    const chain = await openChain([threeImages[0]!])
    expect(await messageOf(() => commitImage(chain.graph, chain.disk))).toBe('Image does not have a backing file')
    await chain.graph.close()
  })

  test('a base that cannot be written: the error as it is', async () => {
    const chain = await openChain([{ ...threeImages[0]!, without: ['reopen'] }, threeImages[2]!])
    expect(await messageOf(() => commitImage(chain.graph, chain.disk))).toBe(
      "Block format 'overlay' used by node 'base' does not support reopening files",
    )
    await chain.graph.close()
  })

  test.each([
    ['write', 'mid', 'ENOSPC', 'Block job failed: No space left on device'],
    ['write', 'mid', 'EIO', 'Block job failed: Input/output error'],
    ['flush', 'mid', 'EIO', 'Block job failed: Input/output error'],
    ['read', 'top', 'EIO', 'Block job failed: Input/output error'],
  ] as const)('%s of %s with %s', async (operation, name, code, text) => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    chain.layer(name).faults.add({ operation, code })
    expect(await failureOf(() => commitImage(chain.graph, chain.disk))).toMatchObject({ code, message: text })
    chain.layer(name).faults.rules = []
    expect([chain.disk.root.nodeName, chain.layer('top').map.changes]).toEqual(['top', 0])
    expect(jobsOf(chain.graph)).toEqual([])
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'top'), before)).toBeUndefined()
  })

  test('a base that cannot grow', async () => {
    const chain = await openChain([
      { name: 'base', length: MiB, without: ['truncate'] },
      { name: 'top', length: 4 * MiB, writes: topData ?? [] },
    ])
    expect(await messageOf(() => commitImage(chain.graph, chain.disk))).toBe(
      'Block job failed: Operation not supported',
    )
    await chain.graph.close()
  })

  test('emptying: the base has the data', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    const { map } = chain.layer('top')
    map.failEmptying = 'EIO'
    const failure = await failureOf(() => commitImage(chain.graph, chain.disk))
    expect(failure).toBeInstanceOf(BlockError)
    expect((failure as BlockError).message).toMatch(/^Failed to empty .*: Input\/output error$/)
    map.failEmptying = undefined
    expect(chain.disk.root.nodeName).toBe('mid')
    await chain.graph.close()
    for (const name of ['mid', 'top']) expect(firstDifference(await reread(chain, name), before)).toBeUndefined()
  })

  test('aborted: before and while it runs', async () => {
    const chain = await openChain(threeImages)
    const reason = new Error('enough')
    expect(await failureOf(() => commitImage(chain.graph, chain.disk, { signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    )
    const controller = new AbortController()
    const options = { signal: controller.signal, onProgress: () => controller.abort(reason) }
    expect(await failureOf(() => commitImage(chain.graph, chain.disk, options))).toBe(reason)
    expect([chain.disk.root.nodeName, chain.layer('top').map.changes]).toEqual(['top', 0])
    await commitImage(chain.graph, chain.disk)
    await chain.graph.close()
  })

  // Its users go on with the overlay then: what they write to it would be lost with its data.
  test('cancelled by somebody else when it is ready: nothing is emptied', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    const top = chain.layer('top')
    let reading: Promise<void> | undefined
    chain.layer('mid').faults.gate = async ({ operation }) => {
      if (operation !== 'flush' || reading !== undefined) return
      // The job gets ready now. It then waits for this read before it ends, and is cancelled meanwhile.
      top.faults.gate = async () => {
        top.faults.gate = undefined
        while (jobsOf(chain.graph)[0]?.status !== 'ready') await new Promise((resolve) => setImmediate(resolve))
        await new Promise((resolve) => setTimeout(resolve, 20))
        await jobsOf(chain.graph)[0]!.cancel()
      }
      reading = chain.disk.read(32 * 65536, new Uint8Array(512))
    }
    const failure = await failureOf(() => commitImage(chain.graph, chain.disk))
    expect(failure).toMatchObject({ code: 'ECANCELED', message: 'Block job failed: Operation canceled' })
    expect([chain.disk.root.nodeName, top.map.changes]).toEqual(['top', 0])
    await reading
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'top'), before)).toBeUndefined()
  })
})
