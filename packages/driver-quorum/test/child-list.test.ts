/** Proves that copies come and go under running I/O, under the reference's names and with its refusals. */

import type { BlockNode } from '@blocklayer/block-core'
import { filled, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { quorum } from '../src/index.ts'
import { openQuorum, readAt } from './support.ts'

const KiB = 1024

async function another(
  quorumOf: Awaited<ReturnType<typeof openQuorum>>,
  nodeName: string,
  store: MemoryStore,
): Promise<BlockNode> {
  return quorumOf.graph.addNode({ ...memory(store), nodeName })
}

test('a new copy gets the writes, and votes', async () => {
  const opened = await openQuorum([filled(1, KiB), filled(2, KiB)], { voteThreshold: 2 })
  const store = new MemoryStore(filled(2, KiB))
  await expect(readAt(opened.disk, 0, 1)).rejects.toMatchObject({ code: 'EIO' })
  const node = await another(opened, 'third', store)
  const writes = Promise.all([0, 1, 2, 3].map((i) => opened.disk.write(512 + i, filled(7, 1))))
  expect(await opened.graph.addChild(opened.disk.root, node)).toBe('children.2')
  await writes
  expect(await readAt(opened.disk, 0, 1)).toEqual(filled(2, 1))
  await opened.disk.write(0, filled(5, 10))
  expect(store.bytes().subarray(0, 10)).toEqual(filled(5, 10))
})

test('names of copies that left are not given again, but for the last', async () => {
  const opened = await openQuorum([KiB, KiB, KiB], { voteThreshold: 1 })
  const { graph, disk } = opened
  const names = () => [...disk.root.children.keys()]
  await graph.removeChild(disk.root, 'children.1')
  expect(names()).toEqual(['children.0', 'children.2'])
  expect(await graph.addChild(disk.root, await another(opened, 'x', new MemoryStore(KiB)))).toBe('children.3')
  await graph.removeChild(disk.root, 'children.3')
  expect(await graph.addChild(disk.root, graph.lookup('x'))).toBe('children.3')
  expect(names()).toEqual(['children.0', 'children.2', 'children.3'])
  expect(disk.root.filename).toBe(
    'json:{"children": [{"driver": "memory"}, {"driver": "memory"}, {"driver": "memory"}], "driver": "quorum", "vote-threshold": 1}',
  )
})

test('a copy that left is flushed, and not written any more', async () => {
  const { graph, disk, stores } = await openQuorum([KiB, KiB], { voteThreshold: 1 })
  await disk.write(0, filled(1, 10))
  await graph.removeChild(disk.root, 'children.0')
  expect(stores[0]?.flushes).toBe(1)
  expect(graph.node('copy0')).toBeUndefined()
  await disk.write(0, filled(2, 10))
  expect(stores.map((store) => store.bytes()[0])).toEqual([1, 2])
})

test('what is refused changes nothing', async () => {
  const opened = await openQuorum([KiB, KiB])
  const { graph, disk } = opened
  const node = await another(opened, 'x', new MemoryStore(KiB))
  const idle = { children: [memory(new MemoryStore(KiB))], voteThreshold: 1 }
  const below = await graph.addNode({ ...quorum(idle), nodeName: 'below' })
  const above = await graph.addNode({ ...quorum({ voteThreshold: 1, children: [below] }), nodeName: 'above' })
  const refusals: [Promise<unknown>, string][] = [
    [graph.removeChild(disk.root, 'children.0'), 'The number of children cannot be lower than the vote threshold 2'],
    [graph.removeChild(disk.root, 'children.9'), "Node 'quorum' does not have child 'children.9'"],
    [graph.addChild(disk.root, graph.lookup('copy1')), 'The node copy1 already has a parent'],
    [graph.addChild(node, above), 'The node x does not support adding a child'],
    [graph.addChild(below, above), "Making 'above' a children.1 child of 'below' would create a cycle"],
    [
      graph.addChild(disk.root, await another(opened, 'long', new MemoryStore(2 * KiB))),
      'Could not refresh total sector count: Input/output error',
    ],
  ]
  for (const [refused, message] of refusals) await expect(refused).rejects.toMatchObject({ message })
  expect([...disk.root.children.keys()]).toEqual(['children.0', 'children.1'])
  await disk.write(0, filled(1, 512))
  expect(await readAt(disk, 0, 512)).toEqual(filled(1, 512))
})

test('two copies that are compared stay two', async () => {
  const opened = await openQuorum([KiB, KiB], { blkverify: true })
  const node = await another(opened, 'x', new MemoryStore(KiB))
  await expect(opened.graph.addChild(opened.disk.root, node)).rejects.toMatchObject({
    message: 'Cannot add a child to a quorum in blkverify mode',
  })
})
