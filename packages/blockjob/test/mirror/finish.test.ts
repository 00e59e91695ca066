/** Proves what a mirror holds of the graph while it runs, that it lets go of it, and who moves where at its end. */
import { type BlockBackend, freezeBackingChain, Permissions, reopenReadOnly } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { attach, heldNode } from '../../src/mirror/finish.ts'
import { type Chain, MiB, openChain, threeImages } from '../helpers/chain.ts'
import { messageOf } from '../helpers/test-job.ts'

const description = "commit job 'x'"

async function attached(): Promise<{ chain: Chain; footprint: Awaited<ReturnType<typeof attach>> }> {
  const chain = await openChain(threeImages)
  await reopenReadOnly(chain.node('base'), false)
  const footprint = await attach(chain.graph, { top: chain.node('top'), base: chain.node('base'), description })
  return { chain, footprint }
}

describe('while it runs', () => {
  test('nobody may change the length of the top, and who wants to is told by whom', async () => {
    const { chain, footprint } = await attached()
    expect(await messageOf(() => chain.disk.truncate(8 * MiB))).toBe(
      "Permission conflict on node 'top': permissions 'resize' are both required by an unnamed block device (uses node 'top' as 'root' child) and unshared by commit job 'x' (uses node 'top' as 'main node' child).",
    )
    await footprint.release()
    await chain.disk.truncate(8 * MiB)
    await chain.graph.close()
  })

  test('the chain is frozen', async () => {
    const { chain, footprint } = await attached()
    const freeze = () => freezeBackingChain(chain.node('top'), chain.node('base'))
    expect(await messageOf(freeze)).toBe("Cannot change 'backing' link from 'top' to 'mid'")
    await footprint.release()
    freeze()()
    await chain.graph.close()
  })

  test('it stays with its nodes when their users get another one', async () => {
    const { chain, footprint } = await attached()
    const [top, base] = [chain.node('top'), chain.node('base')]
    await chain.graph.replaceNode(top, base)
    expect([chain.disk.root, footprint.source.root, footprint.target.root]).toEqual([base, top, base])
    await footprint.release()
    await chain.graph.close()
  })

  test('guest writes are recorded, until it is let go', async () => {
    const { chain, footprint } = await attached()
    await chain.disk.write(MiB, new Uint8Array(10))
    expect(footprint.bitmap.dirtyBytes).toBe(65536)
    await footprint.release()
    await chain.disk.write(2 * MiB, new Uint8Array(10))
    expect(footprint.bitmap.dirtyBytes).toBe(65536)
    await chain.graph.close()
  })
})

test('where it cannot be set up nothing is held', async () => {
  const chain = await openChain(threeImages)
  // The base was not made writable.
  const take = () => attach(chain.graph, { top: chain.node('top'), base: chain.node('base'), description })
  expect(await messageOf(take)).toBe('Block node is read-only')
  freezeBackingChain(chain.node('top'), chain.node('base'))()
  await chain.disk.truncate(8 * MiB)
  await chain.graph.close()
})

describe('at its end', () => {
  test('users move to the target; who holds the node stays', async () => {
    const { chain, footprint } = await attached()
    const { all } = Permissions
    const second: BlockBackend = chain.graph.backend(chain.node('top'), { permissions: { taken: 1, shared: all } })
    const held = chain.graph.backend(chain.node('top'), { permissions: { taken: 0, shared: all }, name: heldNode })
    await footprint.pivot()
    await footprint.release()
    expect([chain.disk, second, held].map(({ root }) => root.nodeName)).toEqual(['base', 'base', 'top'])
    await held.close()
    expect(chain.graph.nodes.map(({ nodeName }) => nodeName)).not.toContain('top')
    await chain.graph.close()
  })

  test('the target is as writable as the source was', async () => {
    const chain = await openChain(threeImages)
    await chain.disk.close()
    const reader = await chain.reopen({ readOnly: true })
    await reopenReadOnly(chain.node('base'), false)
    const footprint = await attach(chain.graph, { top: reader.root, base: chain.node('base'), description })
    await footprint.pivot()
    await footprint.release()
    expect([reader.root.nodeName, reader.root.readOnly]).toEqual(['base', true])
    await chain.graph.close()
  })

  test('a user that cannot move keeps everybody where they are', async () => {
    const { chain, footprint } = await attached()
    const { write, all } = Permissions
    await footprint.target.close()
    // Nobody may write the base any more, but the top's user wants to.
    const strict = chain.graph.backend(chain.node('base'), {
      permissions: { taken: 0, shared: all & ~write },
      name: 'strict',
    })
    expect(await messageOf(() => footprint.pivot())).toContain("Permission conflict on node 'base'")
    expect(chain.disk.root.nodeName).toBe('top')
    await strict.close()
    await footprint.release()
    await chain.graph.close()
  })
})
