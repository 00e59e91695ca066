// Changes of an open graph: who ends up above whom, what is refused in which words, and that a refused change leaves
// no trace. Writes that run meanwhile reach what is below in the end.
import { expect, test } from 'vitest'
import { type BlockNode, type ChildSpec, defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'
import { type BlockGraph, createBlockGraph, freezeBackingChain, neverFreeze, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { graphState } from '../helpers/graph-state.ts'
import { gate, held, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { chain, failure, world } from '../helpers/world.ts'

const { consistentRead, write, writeUnchanged, all } = Permissions
const block = 4096
const options = (entries: Record<string, string | boolean | null>) => new Map(Object.entries(entries))
const toy = (nodeName: string, filename: string, extra = {}) =>
  options({ driver: 'toy', 'node-name': nodeName, 'file.driver': 'file', 'file.filename': filename, ...extra })

/** base and top as nodes of their own, `top` over `base`, and an image `new` without a backing file. */
async function images() {
  const one = world()
  await one.graph.create('toy', 'base', { size: 65536 })
  await one.graph.create('toy', 'top', { size: 65536, backing: { filename: 'base', format: 'toy' } })
  await one.graph.create('toy', 'new', { size: 65536 })
  const base = await one.graph.addNode(toy('base', 'base', { 'read-only': true }))
  const top = await one.graph.addNode(toy('top', 'top', { backing: 'base' }))
  const fresh = await one.graph.addNode(toy('new', 'new'))
  return { ...one, base, top, fresh, [Symbol.asyncDispose]: () => one.graph.close() }
}

/** Fails with `message`, and changes nothing. */
async function refused(graph: BlockGraph, change: () => Promise<unknown>, message: string): Promise<void> {
  const before = graphState(graph)
  expect(await failure(change())).toBe(message)
  expect(graphState(graph)).toEqual(before)
}

test('a filter comes and goes while a write is under way', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder, { nodeName: 'n' }))
  const hold = gate()
  recorder.before = (request) => (request === 'write 0+512' ? hold.opened : undefined)
  const early = opened.disk.write(0, filled(1, 512))
  const inserting = opened.graph.insertFilter(opened.node, filterOver(opened.node, { nodeName: 'f' }))
  await settle()
  const late = opened.disk.write(512, filled(2, 512))
  expect(opened.disk.root.nodeName).toBe('n')
  hold.open()
  const filter = graphNode(await inserting)
  await Promise.all([early, late])
  expect([opened.disk.root, opened.graph.node('f'), filter.children.get('file')]).toEqual([filter, filter, opened.node])
  expect([opened.node.parents.size, recorder.permissions?.taken]).toEqual([1, consistentRead | write])
  recorder.take()
  const more = opened.disk.write(1024, filled(3, 512))
  await opened.graph.removeFilter(filter)
  await more
  expect([opened.disk.root.nodeName, opened.graph.nodes.length]).toEqual(['n', 1])
  // Those who stay may not be allowed to flush what was written through the filter.
  expect(recorder.take()).toEqual(['write 1024+512', 'flush'])
  expect(recorder.store.bytes().subarray(0, 1536)).toEqual(
    new Uint8Array([...filled(1, 512), ...filled(2, 512), ...filled(3, 512)]),
  )
})

test('a filter that cannot be made, or not be put in, leaves no trace', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await held(graph, record(new Recorder(4096), { nodeName: 'n' }))
  const twice = filterOver(node, { nodeName: 'n' })
  await refused(
    graph,
    () => graph.insertFilter(node, twice),
    "Could not create node: Duplicate nodes with node-name='n'",
  )
  const above = await held(graph, filterOver(node, { nodeName: 'above' }))
  const unfreeze = freezeBackingChain(above, node)
  const insert = () => graph.insertFilter(node, filterOver(node, { nodeName: 'f' }))
  await refused(graph, insert, "Could not replace node: Cannot change 'file' link to 'n'")
  unfreeze()
  expect((await insert()).nodeName).toBe('f')
})

// The users would go on with something else than what they were reading.
test('a description that does not lead to the node is refused', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await held(graph, record(new Recorder(4096), { nodeName: 'n' }))
  const other = await held(graph, record(new Recorder(4096), { nodeName: 'other' }))
  const text = "Could not replace node: Node 'f' does not have node 'n' below it"
  await refused(graph, () => graph.insertFilter(node, filterOver(other, { nodeName: 'f' })), text)
})

test('what is no filter, or frozen, is not taken out', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await held(graph, record(new Recorder(4096), { nodeName: 'n' }))
  const filter = await graph.insertFilter(node, filterOver(node, { nodeName: 'f' }))
  await refused(graph, () => graph.removeFilter(node), "Node 'n' is not a filter")
  const unfreeze = freezeBackingChain(filter, node)
  await refused(graph, () => graph.removeFilter(filter), "Cannot change frozen 'file' link from 'f' to 'n'")
  unfreeze()
  neverFreeze(node)
  expect(() => freezeBackingChain(filter, node)).toThrow("Cannot freeze 'file' link to 'n'")
  await graph.removeFilter(filter)
  expect(graph.nodes.map((each) => each.nodeName)).toEqual(['n'])
})

// The child is closed after its filter, and only if nobody else is there for it.
test('a filter that nobody uses takes its inline child along', async () => {
  const recorder = new Recorder(4096)
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const filter = await graph.addNode(filterOver(record(recorder), { nodeName: 'f' }))
  await graph.removeFilter(filter)
  expect([graph.nodes, recorder.closed]).toEqual([[], 1])
})

test('a filter’s failing close is told when it is out', async () => {
  const broken = defineDriver<{ file: never }>({
    formatName: 'broken',
    kind: 'filter',
    options: { file: { name: 'file', type: 'node', help: 'x' } },
    async open(context, { file }) {
      const child = await context.attach('file', 20, file)
      return {
        get length() {
          return child.length
        },
        read: (offset, into) => child.read(offset, into),
        close: () => Promise.reject(new Error('cannot close')),
      }
    },
  })
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await held(graph, record(new Recorder(4096)))
  const filter = await graph.insertFilter(
    node,
    nodeSpec(broken, { file: node as never }, { nodeName: 'f', readOnly: true }),
  )
  expect(await failure(graph.removeFilter(filter))).toBe('cannot close')
  expect(graph.nodes).toEqual([node])
})

test('a node takes another one’s place; jobs stay, and who has no more users is closed', async () => {
  const [from, to] = [new Recorder(4096), new Recorder(4096)]
  await using opened = await openSpec(filterOver(record(from, { nodeName: 'from' })))
  const file = opened.node.children.get('file')!
  const job = opened.graph.backend(file, { permissions: { taken: 0, shared: all }, name: 'source', isJob: true })
  const target = await opened.graph.addNode(record(to, { nodeName: 'to' }))
  await opened.disk.write(0, filled(1, 512))
  from.take()
  await opened.graph.replaceNode(file, target)
  expect([opened.node.children.get('file'), job.root, from.take()]).toEqual([target, file, ['flush']])
  await job.close()
  expect(opened.graph.node('from')).toBeUndefined()
  await opened.disk.write(512, filled(1, 512))
  expect(to.take()).toEqual(['write 512+512'])
  const last = await opened.graph.addNode(record(new Recorder(4096), { nodeName: 'last' }))
  await opened.graph.replaceNode(target, last)
  await opened.graph.replaceNode(last, last)
  // Held by its name: it stays.
  expect(opened.graph.nodes.map((node) => node.nodeName)).toContain('to')
})

test('an overlay comes on top: its base keeps nobody but it', async () => {
  await using one = await images()
  const disk = one.graph.backend(one.top, { permissions: { taken: consistentRead | write, shared: all } })
  await disk.write(0, filled(1, block))
  const writing = disk.write(block, filled(2, block))
  await one.graph.append(one.fresh, one.top)
  await writing
  expect([disk.root, one.fresh.backing, one.top.backing]).toEqual([one.fresh, one.top, one.base])
  await disk.write(2 * block, filled(3, block))
  const shown = async () => {
    const into = new Uint8Array(3 * block)
    await disk.read(0, into)
    return [into[0], into[block], into[2 * block]]
  }
  expect(await shown()).toEqual([1, 2, 3])
  await one.graph.setBacking(one.fresh, null)
  expect(await shown()).toEqual([0, 0, 3])
  await one.graph.setBacking(one.fresh, one.top)
  expect(await shown()).toEqual([1, 2, 3])
  await one.graph.setBacking(one.fresh, one.base)
  expect(await shown()).toEqual([0, 0, 3])
})

test('what cannot be an overlay or have a backing file', async () => {
  await using one = await images()
  const { graph, base, top, fresh } = one
  const plain = await graph.addNode(
    options({ driver: 'raw', 'node-name': 'r', 'file.driver': 'file', 'file.filename': 'new' }),
  )
  const filter = await graph.addNode(filterOver(plain, { nodeName: 'f' }))
  const append = (node: typeof base) => () => graph.append(node, base)
  await refused(graph, append(top), 'The overlay already has a backing image')
  await refused(graph, append(plain), 'The overlay does not support backing images')
  await refused(graph, append(filter), 'Filters cannot be used as overlays')
  const user = graph.backend(fresh, { permissions: { taken: consistentRead, shared: all } })
  await refused(graph, append(fresh), 'The overlay is already in use')
  await user.close()
  const none = "Driver 'raw' of node 'r' does not support backing files"
  await refused(graph, () => graph.setBacking(plain, base), none)
  const circle = "Making 'top' a backing child of 'base' would create a cycle"
  await refused(graph, () => graph.setBacking(base, top), circle)
  await refused(graph, () => graph.setBacking(top, top), "Making 'top' a backing child of 'top' would create a cycle")
  const unfreeze = freezeBackingChain(top, base)
  const frozen = "Cannot change frozen 'backing' link from 'top' to 'base'"
  await refused(graph, () => graph.setBacking(top, null), frozen)
  await refused(graph, () => graph.setBacking(top, fresh), frozen)
  unfreeze()
  graphNode(fresh).eject()
  await refused(graph, () => graph.setBacking(fresh, base), 'Node corrupted')
})

// Permissions are those of the new graph: who shares nothing keeps others out of the whole chain.
test('a conflict in the new graph keeps the old one', async () => {
  await using one = await images()
  const { graph, base, top, fresh } = one
  const writer = graph.backend(fresh, { permissions: { taken: write, shared: all } })
  const strict = graph.backend(top, { permissions: { taken: consistentRead, shared: consistentRead | writeUnchanged } })
  const text =
    "Permission conflict on node 'new': permissions 'write' are both required by an unnamed block device (uses node 'new' as 'root' child) and unshared by node 'top' (uses node 'new' as 'backing' child)."
  await refused(graph, () => graph.setBacking(top, fresh), text)
  await writer.close()
  await graph.setBacking(top, fresh)
  expect([top.backing, base.children.size]).toEqual([fresh, 1])
  await strict.close()
})

// A backing file that was opened inline belongs to nobody else.
test('an inline chain vanishes with its last link', async () => {
  const one = world()
  await using graph = one.graph
  await chain(one)
  const top = await graph.addNode(toy('top', 'top'))
  expect(graph.nodes).toHaveLength(6)
  await graph.setBacking(top, null)
  expect(graph.nodes).toHaveLength(2)
})

test('a driver that looks for its backing file only when it opens', async () => {
  const fixed = defineDriver<object>({
    formatName: 'fixed',
    kind: 'format',
    supportsBacking: true,
    options: {},
    async open(context) {
      await context.attachBacking(undefined)
      return { length: 512, read: async () => {}, close: async () => {} }
    },
  })
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const spec = (nodeName: string, over?: Recorder) =>
    nodeSpec(fixed, {}, { nodeName, readOnly: true, ...(over === undefined ? {} : { backing: record(over) }) })
  const node = await graph.addNode(spec('with', new Recorder(512)))
  const other = await graph.addNode(record(new Recorder(512), { nodeName: 'other', readOnly: true }))
  await graph.setBacking(node, other)
  expect(node.backing).toBe(other)
  const text = (name: string) => `Driver 'fixed' of node '${name}' does not support backing files`
  await refused(graph, () => graph.setBacking(node, null), text('with'))
  const without = await graph.addNode(spec('without'))
  await refused(graph, () => graph.setBacking(without, other), text('without'))
})

test('all nodes are drained at once', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const recorders = [new Recorder(512), new Recorder(512)]
  const disks = await Promise.all(recorders.map((recorder) => graph.open(record(recorder))))
  const writes = await graph.drainAll(async () => {
    const requests = disks.map((disk) => disk.write(0, filled(1, 512)))
    await settle()
    expect(recorders.map((recorder) => recorder.take())).toEqual([[], []])
    return { requests }
  })
  await Promise.all(writes.requests)
  expect(recorders.map((recorder) => recorder.take())).toEqual([['write 0+512'], ['write 0+512']])
})

/** A filter that counts how often it is closed; its flush takes as long as a test says. */
function countingFilter(
  file: BlockNode,
  nodeName: string,
  flush: () => Promise<void>,
): { spec: NodeSpec; closed: () => number } {
  let closed = 0
  const driver = defineDriver<{ file: ChildSpec }, never>({
    formatName: 'counting',
    kind: 'filter',
    options: { file: { name: 'file', type: 'node', help: 'x' } },
    async open(context, options) {
      const child = await context.attach('file', 20, options.file)
      return {
        get length() {
          return child.length
        },
        read: (offset, into) => child.read(offset, into),
        flushToOs: flush,
        writer: { write: (offset, data) => child.write(offset, data) },
        close: async () => {
          closed++
        },
      }
    },
  })
  return { spec: nodeSpec(driver, { file }, { nodeName }), closed: () => closed }
}

test('a node that its last user is closing cannot be replaced or taken out', async () => {
  const recorder = new Recorder(4096)
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await held(graph, record(recorder, { nodeName: 'n' }))
  const other = await held(graph, record(new Recorder(4096), { nodeName: 'other' }))
  const hold = gate()
  const { spec, closed } = countingFilter(node, 'f', () => hold.opened)
  const disk = await graph.open(spec)
  const filter = disk.root
  const closing = disk.close()
  await settle()
  const removing = failure(graph.removeFilter(filter))
  const replacing = failure(graph.replaceNode(filter, other))
  await settle()
  hold.open()
  await closing
  expect([await removing, await replacing]).toEqual(['No medium found', 'No medium found'])
  expect([closed(), graphNode(filter).parents.size, node.parents.size, other.parents.size]).toEqual([1, 0, 1, 1])
})

test('two new backing files at once: what the first put in is let go of by the second', async () => {
  await using at = await images()
  const recorder = new Recorder(65536)
  const between = graphNode(await at.graph.addNode(record(recorder, { nodeName: 'between' })))
  const disk = at.graph.backend(at.top, { permissions: { taken: consistentRead, shared: all } })
  await Promise.all([at.graph.setBacking(at.top, between), at.graph.setBacking(at.top, at.fresh)])
  expect([at.top.backing, between.parents.size]).toEqual([at.fresh, 0])
  expect(recorder.permissions).toEqual({ taken: 0, shared: all })
  await disk.close()
})
