/** Proves the commit of the active layer: what it does to the base, to the graph, and to nobody when it fails. */
import { freezeBackingChain, BlockError, createBlockGraph } from '@blocklayer/block-core'
import { memory, MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { commit, type JobEvent } from '../src/index.ts'
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
import { overlay, OverlayMap } from './helpers/overlay-driver.ts'
import { failureOf, messageOf, shortly } from './helpers/test-job.ts'
import { settle } from './helpers/manual-clock.ts'

const sizes = (base: number, top: number): readonly LayerPlan[] => [
  { name: 'base', length: base, writes: [[0, Math.min(base, MiB), 0x11]] },
  { name: 'top', length: top, writes: [[top - 64 * KiB, 64 * KiB, 0x33]] },
]

describe('lengths', () => {
  test('a shorter base grows, and reads as zero where nothing was committed', async () => {
    const chain = await openChain(sizes(4 * MiB, 8 * MiB))
    const before = await contentOf(chain.disk)
    await commit(chain.graph, { top: chain.disk.root }).done
    expect([chain.disk.root.nodeName, chain.disk.length]).toEqual(['base', 8 * MiB])
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'base'), before)).toBeUndefined()
  })

  test('a longer base keeps its length and what lies past the top', async () => {
    const chain = await openChain([
      { name: 'base', length: 8 * MiB, writes: [[7 * MiB, MiB, 0x44]] },
      { name: 'top', length: 4 * MiB, writes: [[0, 64 * KiB, 0x33]] },
    ])
    await commit(chain.graph, { top: chain.disk.root }).done
    expect(chain.disk.length).toBe(8 * MiB)
    const base = await contentOf(chain.disk)
    expect([base[0], base[7 * MiB]]).toEqual([0x33, 0x44])
    await chain.graph.close()
  })

  test('a base that cannot grow fails the job and changes nothing', async () => {
    const [base, top] = sizes(4 * MiB, 8 * MiB)
    const chain = await openChain([{ ...base!, without: ['truncate'] }, top!])
    const job = commit(chain.graph, { top: chain.disk.root })
    await job.started
    expect(await failureOf(() => job.done)).toMatchObject({ code: 'ENOTSUP', message: 'Operation not supported' })
    expect(chain.layer('base').map).toMatchObject({ length: 4 * MiB, changes: 0 })
    await chain.graph.close()
  })

  test('a base without a format grows too', async () => {
    const store = new MemoryStore(MiB)
    const map = new OverlayMap(2 * MiB)
    const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
    const disk = await graph.open(overlay({ file: memory(new MemoryStore()), map, backing: memory(store) }))
    await disk.write(MiB + 5, new Uint8Array([1, 2, 3]))
    await commit(graph, { top: disk.root }).done
    await graph.close()
    const content = store.bytes()
    expect([content.length, ...content.subarray(MiB + 4, MiB + 9)]).toEqual([2 * MiB, 0, 1, 2, 3, 0])
  })

  test('of 512 bytes past a whole unit are copied to the last byte', async () => {
    const length = 2 * MiB + 512
    const chain = await openChain([
      { name: 'base', length },
      { name: 'top', length, writes: [[length - 512, 512, 0x34]] },
    ])
    const job = commit(chain.graph, { top: chain.disk.root })
    await job.done
    expect(job.progress).toEqual({ current: 512, total: 512 })
    await chain.graph.close()
    expect((await reread(chain, 'base'))[length - 1]).toBe(0x34)
  })
})

describe('the base', () => {
  test('that cannot be made writable keeps the job from starting', async () => {
    const chain = await openChain([{ ...threeImages[0]!, without: ['reopen'] }, threeImages[2]!])
    const events: JobEvent[] = []
    const job = commit(chain.graph, { top: chain.disk.root, onEvent: (event) => events.push(event) })
    const text = "Block format 'overlay' used by node 'base' does not support reopening files"
    expect(await messageOf(() => job.started)).toBe(text)
    expect(await messageOf(() => job.done)).toBe(text)
    expect(shortly(events)).toEqual(['created', 'null'])
    await chain.graph.close()
  })

  test('is read-only again when the job could not be set up', async () => {
    const chain = await openChain(threeImages)
    const thaw = freezeBackingChain(chain.disk.root, chain.node('mid'))
    const job = commit(chain.graph, { top: chain.disk.root, base: chain.node('base') })
    expect(await messageOf(() => job.started)).toBe("Cannot change 'backing' link from 'top' to 'mid'")
    expect(chain.node('base').readOnly).toBe(true)
    thaw()
    // Nothing is kept from the images any more.
    await commit(chain.graph, { top: chain.disk.root, base: chain.node('base') }).done
    await chain.graph.close()
  })

  test('gets whole clusters where its own backing file is not open', async () => {
    const chain = await openChain([
      { name: 'base', length: 8 * MiB, clusterSize: 2 * MiB },
      { name: 'top', length: 8 * MiB, writes: [[3 * MiB, 64 * KiB, 0x33]] },
    ])
    chain.layer('base').map.backingName = 'gone'
    const job = commit(chain.graph, { top: chain.disk.root })
    await job.done
    expect(job.progress).toEqual({ current: 2 * MiB, total: 2 * MiB })
    await chain.graph.close()
  })
})

describe('what is left as it was', () => {
  const untouched = (chain: Chain): void => {
    for (const name of ['mid', 'top']) {
      const { map, faults } = chain.layer(name)
      expect([map.changes, faults.of('write'), faults.of('zero'), faults.of('discard')]).toEqual([0, [], [], []])
    }
  }

  test('after success: the overlays', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    await commit(chain.graph, { top: chain.disk.root }).done
    untouched(chain)
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'top'), before)).toBeUndefined()
  })

  test.each([
    ['write', 'base', 'EIO', 'Input/output error'],
    ['write', 'base', 'ENOSPC', 'No space left on device'],
    ['flush', 'base', 'EIO', 'Input/output error'],
    ['read', 'top', 'EIO', 'Input/output error'],
    ['read', 'mid', 'EIO', 'Input/output error'],
  ] as const)('after a failing %s of %s (%s): overlays, users, content', async (operation, name, code, text) => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    chain.layer(name).faults.add({ operation, code })
    const job = commit(chain.graph, { top: chain.disk.root })
    expect(await failureOf(() => job.done)).toMatchObject({ code, message: text })
    chain.layer(name).faults.rules = []
    untouched(chain)
    expect(chain.disk.root.nodeName).toBe('top')
    expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
    // Nothing is held any more: a second commit completes.
    await commit(chain.graph, { top: chain.disk.root }).done
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'base'), before)).toBeUndefined()
  })

  test('after a forced cancel in the middle', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    const base = chain.layer('base').faults
    base.gate = () => settle()
    const controller = new AbortController()
    const job = commit(chain.graph, {
      top: chain.disk.root,
      signal: controller.signal,
      onProgress: ({ current }) => {
        if (current > 0) controller.abort(new BlockError('EINTR', 'enough'))
      },
    })
    expect(await messageOf(() => job.done)).toBe('enough')
    expect([base.inFlight, chain.disk.root.nodeName]).toEqual([0, 'top'])
    untouched(chain)
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'top'), before)).toBeUndefined()
  })

  test('after a soft cancel: the users stay, the base is in sync', async () => {
    const chain = await openChain(threeImages)
    const before = await contentOf(chain.disk)
    const job = commit(chain.graph, { top: chain.disk.root, autoComplete: false })
    await job.whenReady()
    await job.cancelSync()
    await job.done
    expect(chain.disk.root.nodeName).toBe('top')
    await chain.graph.close()
    expect(firstDifference(await reread(chain, 'base'), before)).toBeUndefined()
  })
})

test('a cancel before it is ready is by force', async () => {
  const chain = await openChain(threeImages)
  const job = commit(chain.graph, { top: chain.disk.root, speed: 1 })
  await job.started
  await job.cancelSync()
  expect(job.error).toMatchObject({ code: 'ECANCELED' })
  await chain.graph.close()
})

test('a filter on the top is left behind with it', async () => {
  const chain = await openChain(threeImages, { watched: true })
  expect(chain.disk.root.nodeName).toBe('watch')
  await commit(chain.graph, { top: chain.disk.root }).done
  expect(chain.disk.root.nodeName).toBe('base')
  expect(chain.graph.nodes.map(({ nodeName }) => nodeName)).not.toContain('watch')
  await chain.graph.close()
})
