/** Proves the commit of an image that has overlays: what is copied, who stands on what, and what is recorded. */
import { graphDescription, Permissions, reopenReadOnly } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { type CommitOptions, commit, type JobEvent } from '../src/index.ts'
import { type Chain, contentOf, firstDifference, KiB, MiB, openChain, reread, threeImages } from './helpers/chain.ts'
import { ManualClock, settle } from './helpers/manual-clock.ts'
import { failureOf, messageOf, shortly } from './helpers/test-job.ts'

/** Options of a commit of the middle image into the lowest. */
const mid = (chain: Chain, more: Partial<CommitOptions> = {}): CommitOptions => ({ top: chain.node('mid'), ...more })

test('the overlay stands on the base, which has the data', async () => {
  const chain = await openChain(threeImages)
  const before = await contentOf(chain.disk)
  const events: JobEvent[] = []
  const job = commit(chain.graph, mid(chain, { onEvent: (event) => events.push(event) }))
  await job.done
  expect(chain.disk.root.backing?.nodeName).toBe('base')
  expect(chain.graph.nodes.map(({ nodeName }) => nodeName)).not.toContain('mid')
  expect(chain.node('base').readOnly).toBe(true)
  expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
  // The committed image keeps its data.
  expect(chain.layer('mid').map).toMatchObject({ changes: 0 })
  // The length of the image, copied or not (spec/jobs.md, section 7), and never ready.
  expect(job.progress).toEqual({ current: 4 * MiB, total: 4 * MiB })
  expect(shortly(events).join(' ')).toBe('created running waiting pending BLOCK_JOB_COMPLETED concluded null')
  await chain.graph.close()
})

test('by hand: pending, finalize, concluded, dismiss', async () => {
  const chain = await openChain(threeImages)
  const events: JobEvent[] = []
  const onEvent = (event: JobEvent): number => events.push(event)
  const job = commit(chain.graph, mid(chain, { autoFinalize: false, autoDismiss: false, onEvent }))
  await job.whenReady()
  await settle()
  expect([job.ready, job.status, chain.disk.root.backing?.nodeName]).toEqual([false, 'pending', 'mid'])
  job.finalize()
  await job.done
  job.dismiss()
  // spec/jobs.md, section 28
  expect(shortly(events).join(' ')).toBe(
    'created running waiting pending BLOCK_JOB_PENDING BLOCK_JOB_COMPLETED concluded null',
  )
  await chain.graph.close()
})

test('while it runs it stays with its nodes when their users get another one', async () => {
  const chain = await openChain(threeImages)
  const job = commit(chain.graph, mid(chain, { autoFinalize: false }))
  await job.whenReady()
  await settle()
  const [middle, base] = [chain.node('mid'), chain.node('base')]
  await chain.graph.replaceNode(middle, base)
  expect(chain.disk.root.backing).toBe(base)
  const { nodes, edges } = graphDescription(chain.graph)
  const node = (id: number) => nodes.find((each) => each.id === id)!
  const own = edges.filter(({ parent }) => node(parent).type === 'block-job')
  expect(own.map(({ name, child }) => `${name}: ${node(child).name}`).sort()).toEqual(['base: base', 'main node: mid'])
  await job.cancelSync({ force: true })
  await chain.graph.close()
})

describe('what the overlay records', () => {
  test('the name it is told, and the format of the base', async () => {
    const chain = await openChain(threeImages)
    await commit(chain.graph, mid(chain, { backingFile: 'elsewhere/base.img' })).done
    expect(chain.layer('top').map.backingName).toBe('overlay:elsewhere/base.img')
    await chain.graph.close()
  })

  test('nothing, where its format cannot: the chain stays', async () => {
    const [base, middle, top] = threeImages
    const chain = await openChain([base!, middle!, { ...top!, without: ['changeBacking'] }])
    const job = commit(chain.graph, mid(chain))
    expect(await failureOf(() => job.done)).toMatchObject({
      code: 'ENOTSUP',
      message: 'Could not update backing file link: Operation not supported',
    })
    expect(chain.disk.root.backing?.nodeName).toBe('mid')
    expect(chain.node('base').readOnly).toBe(true)
    await chain.graph.close()
  })

  test('only where there is one', async () => {
    const chain = await openChain(threeImages)
    const call = () => commit(chain.graph, { top: chain.disk.root, backingFile: 'x' })
    expect(await messageOf(call)).toBe("'backing-file' specified, but 'top' is the active layer")
    await chain.graph.close()
  })

  // Another order would let a power cut take away what the overlay no longer finds below.
  test('nothing before the base has been flushed', async () => {
    const chain = await openChain(threeImages)
    const changes: number[] = []
    chain.layer('base').faults.gate = async ({ operation }) => {
      if (operation === 'flush') changes.push(chain.layer('top').map.changes)
    }
    await commit(chain.graph, mid(chain)).done
    expect([changes[0], chain.layer('top').map.changes]).toEqual([0, 1])
    await chain.graph.close()
  })
})

describe('lengths', () => {
  test('a shorter base grows', async () => {
    const chain = await openChain([
      { name: 'base', length: MiB },
      { name: 'mid', length: 3 * MiB, writes: [[2 * MiB, MiB, 0x22]] },
      { name: 'top', length: 4 * MiB },
    ])
    const before = await contentOf(chain.disk)
    await commit(chain.graph, mid(chain)).done
    expect(chain.node('base').length).toBe(3 * MiB)
    expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
    await chain.graph.close()
  })

  test('a base that cannot grow fails the job', async () => {
    const chain = await openChain([
      { name: 'base', length: MiB, without: ['truncate'] },
      { name: 'mid', length: 3 * MiB },
      { name: 'top', length: 4 * MiB },
    ])
    expect(await messageOf(() => commit(chain.graph, mid(chain)).done)).toBe('Operation not supported')
    await chain.graph.close()
  })

  // The reference lets the end of the base come into view here.
  test('what a shorter image hid of a longer base stays hidden', async () => {
    const chain = await openChain([
      { name: 'base', length: 4 * MiB, writes: [[0, 4 * MiB, 0x11]] },
      { name: 'mid', length: MiB, writes: [[0, 64 * KiB, 0x22]] },
      { name: 'top', length: 3 * MiB },
    ])
    const before = await contentOf(chain.disk)
    await commit(chain.graph, mid(chain)).done
    expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
    await chain.graph.close()
    expect((await reread(chain, 'base'))[4 * MiB - 1]).toBe(0x11)
  })
})

describe('errors', () => {
  test.each([
    ['read', 'mid', 'EIO', 'Input/output error'],
    ['write', 'base', 'ENOSPC', 'No space left on device'],
  ] as const)('%s of %s (%s): the chain stays', async (operation, name, code, text) => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    chain.layer(name).faults.add({ operation, code })
    const events: JobEvent[] = []
    const job = commit(chain.graph, mid(chain, { onEvent: (event) => events.push(event) }))
    expect(await failureOf(() => job.done)).toMatchObject({ code, message: text })
    expect(shortly(events)).toContain(`BLOCK_JOB_ERROR ${operation}/report`)
    chain.layer(name).faults.rules = []
    expect([chain.disk.root.backing?.nodeName, chain.node('base').readOnly]).toEqual(['mid', true])
    expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
    await chain.graph.close()
  })

  test('ignore tries again, stop waits for its user', async () => {
    const chain = await openChain(threeImages)
    chain.layer('base').faults.add({ operation: 'write', code: 'EIO', times: 2 })
    await commit(chain.graph, mid(chain, { onError: 'ignore' })).done
    await chain.graph.close()
    const other = await openChain(threeImages)
    other.layer('mid').faults.add({ operation: 'read', code: 'EIO', times: 1 })
    const job = commit(other.graph, mid(other, { onError: 'stop' }))
    await settle()
    expect(job.info()).toMatchObject({ status: 'paused', ioStatus: 'failed', offset: MiB, len: 4 * MiB })
    job.resume()
    await job.done
    await other.graph.close()
  })

  test('a mapping that cannot be read counts as a failed read', async () => {
    const chain = await openChain(threeImages)
    chain.layer('mid').map.failStatus = 'EIO'
    expect(await messageOf(() => commit(chain.graph, mid(chain)).done)).toBe('Input/output error')
    chain.layer('mid').map.failStatus = undefined
    await chain.graph.close()
  })
})

// The copy passes by once; only a mirror sees what is written behind it.
test('an image that somebody writes to is mirrored', async () => {
  const chain = await openChain(threeImages)
  await reopenReadOnly(chain.node('mid'), false)
  const writer = chain.graph.backend(chain.node('mid'), { permissions: { taken: 2, shared: Permissions.all } })
  const call = () => commit(chain.graph, mid(chain, { backingFile: 'x' }))
  expect(await messageOf(call)).toBe("'backing-file' specified, but 'top' has a writer on it")
  const job = commit(chain.graph, mid(chain, { autoComplete: false }))
  await job.whenReady()
  expect(job.ready).toBe(true)
  await writer.write(3 * MiB, new Uint8Array(KiB).fill(0x99))
  await job.completeSync()
  expect([writer.root.nodeName, chain.disk.root.backing?.nodeName]).toEqual(['base', 'base'])
  await chain.graph.close()
  expect((await reread(chain, 'base'))[3 * MiB]).toBe(0x99)
})

describe('speed and cancel', () => {
  test('only what is copied takes time', async () => {
    const chain = await openChain(threeImages)
    const clock = new ManualClock()
    const job = commit(chain.graph, mid(chain, { clock, speed: 512 * KiB }))
    await clock.advance(900)
    // 1 MiB that is not allocated and the first 512 KiB.
    expect(job.progress).toEqual({ current: 1.5 * MiB, total: 4 * MiB })
    await clock.advance(200)
    await job.done
    await chain.graph.close()
  })

  test('every cancel is by force, and leaves the chain as it was', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    const job = commit(chain.graph, mid(chain, { speed: 1 }))
    await job.started
    await job.cancelSync({ force: true })
    expect(job.error).toMatchObject({ code: 'ECANCELED' })
    expect(await messageOf(() => job.complete())).toContain('cannot accept command verb')
    expect([chain.disk.root.backing?.nodeName, chain.node('base').readOnly]).toEqual(['mid', true])
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'top'), before)).toBeUndefined()
  })
})
