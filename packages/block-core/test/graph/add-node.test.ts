// Nodes that are held by their names: who may take them away, and what goes with them. All words are those of the
// reference's blockdev-add and blockdev-del.
import { expect, test } from 'vitest'
import { Permissions } from '../../src/index.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { graphState } from '../helpers/graph-state.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { chain, failure, world } from '../helpers/world.ts'

const options = (entries: Record<string, string | boolean | null>) => new Map(Object.entries(entries))
const names = (one: ReturnType<typeof world>) => one.graph.nodes.map((node) => node.nodeName)
const toyOver = (nodeName: string, filename: string, extra = {}) =>
  options({ driver: 'toy', 'node-name': nodeName, 'file.driver': 'file', 'file.filename': filename, ...extra })

async function chained() {
  const one = world()
  await chain(one)
  return { ...one, [Symbol.asyncDispose]: () => one.graph.close() }
}

test('a node stays without users, and goes with what it opened inline', async () => {
  await using one = await chained()
  const node = await one.graph.addNode(
    toyOver('top', 'top', {
      'file.node-name': 'f',
      'backing.driver': 'toy',
      'backing.node-name': 'mid',
      'backing.file.driver': 'file',
      'backing.file.filename': 'mid',
      'backing.backing': null,
    }),
  )
  expect([node.nodeName, one.graph.lookup('top'), names(one).length]).toEqual(['top', node, 4])
  const disk = one.graph.backend(node, { permissions: { taken: Permissions.write, shared: Permissions.all } })
  await disk.write(0, filled(1, 512))
  await disk.close()
  expect(names(one)).toContain('top')
  await one.graph.removeNode('top')
  expect(names(one)).toEqual([])
})

// The last writer goes, the node stays: what it wrote would lie in a cache for as long as the node lives.
test('a writer that leaves a held node leaves nothing unflushed', async () => {
  const one = world()
  await using graph = one.graph
  const recorder = new Recorder(4096)
  const node = await graph.addNode(record(recorder, { nodeName: 'n' }))
  const disk = graph.backend(node, { permissions: { taken: Permissions.write, shared: Permissions.all } })
  await disk.write(0, filled(1, 512))
  await disk.close()
  expect([recorder.take(), recorder.permissions?.taken, recorder.closed]).toEqual([['write 0+512', 'flush'], 0, 0])
  await graph.removeNode('n')
  expect(recorder.closed).toBe(1)
})

test('a node that others refer to by its name goes when it is told to, and not before they do', async () => {
  await using one = await chained()
  await one.graph.addNode(toyOver('base', 'base', { 'read-only': true }))
  await one.graph.addNode(toyOver('top', 'top', { backing: 'base' }))
  await one.graph.addNode(options({ driver: 'raw', 'node-name': 'r', file: 'top' }))
  const before = graphState(one.graph)
  const removal = (name: string) => failure(one.graph.removeNode(name))
  expect(await removal('zz')).toBe("Failed to find node with node-name='zz'")
  expect(await removal('base')).toBe("Node 'base' is busy: node is used as backing hd of 'top'")
  expect(await removal('top')).toBe('Block device top is in use')
  const inline = one.graph.node('top')!.children.get('file')!.nodeName
  expect(await removal(inline)).toBe(`Node ${inline} is not owned by the monitor`)
  const device = one.graph.backend(one.graph.node('r')!, { permissions: { taken: 0, shared: 15 } })
  expect(await removal('r')).toBe('Node r is in use')
  await device.close()
  expect(graphState(one.graph)).toEqual(before)
  for (const name of ['r', 'top', 'base']) await one.graph.removeNode(name)
  expect(names(one)).toEqual([])
})

test('bad descriptions leave the graph as it was', async () => {
  await using one = await chained()
  await one.graph.addNode(toyOver('t', 'top', { backing: null }))
  const before = graphState(one.graph)
  const adding = (entries: Record<string, string>) => failure(one.graph.addNode(options(entries)))
  expect(await adding({ driver: 'raw' })).toBe("'node-name' must be specified for the root node")
  expect(await adding({ 'node-name': 'x' })).toBe("Parameter 'driver' is missing")
  expect(await adding({ driver: 'nope', 'node-name': 'x' })).toBe("Unknown driver 'nope'")
  expect(await adding({ driver: 'raw', 'node-name': 't', file: 't' })).toBe("Duplicate nodes with node-name='t'")
  expect(await adding({ driver: 'raw', 'node-name': 'x+', file: 't' })).toBe("Invalid node-name: 'x+'")
  expect(await adding({ driver: 'raw', 'node-name': 'x', file: 'x' })).toBe("Cannot find device='x' nor node-name='x'")
  const twice = { driver: 'raw', 'node-name': 'x', file: 't', 'file.driver': 'file', 'file.filename': 'top' }
  expect(await adding(twice)).toBe(
    'Cannot reference an existing block device with additional options or a new filename',
  )
  const inner = {
    driver: 'raw',
    'node-name': 'x',
    'file.driver': 'file',
    'file.filename': 'top',
    'file.node-name': 'x',
  }
  expect(await adding(inner)).toBe("Duplicate nodes with node-name='x'")
  expect(await failure(one.graph.addNode(filterOver(one.graph.node('t')!)))).toBe(
    "'node-name' must be specified for the root node",
  )
  expect(graphState(one.graph)).toEqual(before)
})

test('devices and nodes share one namespace, and devices are found first', async () => {
  await using one = await chained()
  const node = await one.graph.addNode(toyOver('n', 'top', { backing: null }))
  const permissions = { taken: 0, shared: 15 }
  const device = one.graph.backend(node, { permissions, device: 'd' })
  expect(one.graph.lookup('d')).toBe(node)
  const add = (name: string) => failure(one.graph.addNode(toyOver(name, 'base')))
  expect(await add('d')).toBe('node-name=d is conflicting with a device id')
  const named = (name: string) => () => one.graph.backend(node, { permissions, device: name })
  expect(named('n')).toThrow("Device name 'n' conflicts with an existing node name")
  expect(named('d')).toThrow("Device with id 'd' already exists")
  expect(named('1x')).toThrow('Invalid device name')
  await one.graph.addNode(options({ driver: 'raw', 'node-name': 'above', file: 'd' }))
  expect(one.graph.node('above')!.children.get('file')).toBe(node)
  await device.close()
  expect(() => one.graph.lookup('d')).toThrow("Cannot find device='d' nor node-name='d'")
  // A device that came to nothing leaves its name.
  const exclusive = one.graph.backend(node, { permissions: { taken: 0, shared: 0 } })
  const writer = () => one.graph.backend(node, { permissions: { taken: 1, shared: 15 }, device: 'd' })
  expect(writer).toThrow("required by block device 'd' (uses node 'n' as 'root' child)")
  await exclusive.close()
  await writer().close()
})

test('closing the graph lets go of all that is held', async () => {
  const one = await chained()
  await one.graph.addNode(toyOver('base', 'base', { 'read-only': true }))
  await one.graph.addNode(toyOver('top', 'top', { backing: 'base' }))
  await one.graph.close()
  expect(names(one)).toEqual([])
})
