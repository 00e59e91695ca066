/** Children come and go on an open node that takes them, while its users are stopped; all others refuse in the reference's words. */

import { expect, test } from 'vitest'
import { type BlockDriver, defineDriver, nodeSpec } from '../../src/driver/block-driver.ts'
import { type Child, ChildRoles } from '../../src/driver/child.ts'
import { BlockError } from '../../src/errors.ts'
import { addChild, removeChild } from '../../src/graph/child-list.ts'
import { GraphCore } from '../../src/graph/graph-core.ts'
import { createBlockGraph } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'

/** Writes to all of its children; keeps at least one. */
const listDriver: BlockDriver<Record<string, never>> = defineDriver<Record<string, never>>({
  formatName: 'list',
  kind: 'format',
  options: {},
  open: async (context) => {
    const children: Child[] = []
    return {
      length: 4096,
      read: async (offset, into) => children[0]?.read(offset, into),
      writer: {
        write: async (offset, data) => {
          for (const child of [...children]) await child.write(offset, data)
        },
      },
      flush: async () => {
        for (const child of children) await child.flush()
      },
      childList: {
        add: async (node) => {
          const name = `item.${children.length}`
          children.push(await context.attach(name, ChildRoles.data, node))
          return name
        },
        remove: (name) => {
          if (children.length === 1) throw new BlockError('EINVAL', 'the last one stays')
          children.splice(
            children.findIndex((child) => child.name === name),
            1,
          )
        },
      },
      close: async () => {},
    }
  },
})

function newGraph() {
  return createBlockGraph({ drivers: [listDriver], implicitOpen: 'deny' })
}

test('a child comes, is written to, and goes', async () => {
  await using graph = newGraph()
  const disk = await graph.open(nodeSpec(listDriver, {}))
  const stores = [new MemoryStore(4096), new MemoryStore(4096)]
  for (const [i, store] of stores.entries()) {
    const node = await graph.addNode({ ...memory(store), nodeName: `store${i}` })
    expect(await graph.addChild(disk.root, node)).toBe(`item.${i}`)
  }
  await disk.write(0, filled(1, 512))
  expect(stores.map((store) => store.bytes()[0])).toEqual([1, 1])
  await graph.removeChild(disk.root, 'item.0')
  // Flushed when it left; and still there, because it was added by its name.
  expect(stores.map((store) => store.flushes)).toEqual([1, 0])
  expect(graph.node('store0')).toBeDefined()
  await disk.write(0, filled(2, 512))
  expect(stores.map((store) => store.bytes()[0])).toEqual([1, 2])
  expect([...disk.root.children.keys()]).toEqual(['item.1'])
})

test('a change waits for the requests in flight', async () => {
  await using graph = newGraph()
  const disk = await graph.open(nodeSpec(listDriver, {}))
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const slow = await graph.addNode({ ...memory(new MemoryStore(4096), { pace: () => gate }), nodeName: 'slow' })
  await graph.addChild(disk.root, slow)
  const late = new MemoryStore(4096)
  const write = disk.write(0, filled(1, 512))
  const added = graph.addChild(disk.root, await graph.addNode({ ...memory(late), nodeName: 'late' }))
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  expect([...disk.root.children.keys()]).toEqual(['item.0'])
  open()
  await Promise.all([write, added])
  expect(late.bytes()[0]).toBe(0)
})

test('refusals change nothing', async () => {
  await using graph = newGraph()
  const list = await graph.addNode({ ...nodeSpec(listDriver, {}), nodeName: 'list' })
  const outer = await graph.addNode({ ...nodeSpec(listDriver, {}), nodeName: 'outer' })
  const store = await graph.addNode({ ...memory(new MemoryStore(4096)), nodeName: 'store' })
  await graph.addChild(list, store)
  const core = new GraphCore({ drivers: [], implicitOpen: 'deny' })
  const refused = async (work: Promise<unknown>) => work.catch((error: unknown) => (error as Error).message)
  expect(await refused(addChild(graphNode(store), graphNode(list)))).toBe(
    'The node store does not support adding a child',
  )
  expect(await refused(addChild(graphNode(outer), graphNode(store)))).toBe('The node store already has a parent')
  expect(await refused(addChild(graphNode(list), graphNode(list)))).toBe(
    "Making 'list' a item.1 child of 'list' would create a cycle",
  )
  expect(await refused(removeChild(core, graphNode(list), 'item.7'))).toBe("Node 'list' does not have child 'item.7'")
  expect(await refused(removeChild(core, graphNode(list), 'item.0'))).toBe('the last one stays')
  expect([...list.children.keys()]).toEqual(['item.0'])
})

test('a driver without a list lets go of nothing', async () => {
  await using graph = newGraph()
  const filter = defineDriver<Record<string, never>>({
    formatName: 'filter',
    kind: 'filter',
    options: {},
    open: async (context) => {
      const child = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, memory(new MemoryStore(512)))
      return { length: 512, read: (offset, into) => child.read(offset, into), close: async () => {} }
    },
  })
  const node = await graph.addNode({ ...nodeSpec(filter, {}), nodeName: 'f' })
  await expect(graph.removeChild(node, 'file')).rejects.toMatchObject({
    message: 'The node f does not support removing a child',
  })
})
