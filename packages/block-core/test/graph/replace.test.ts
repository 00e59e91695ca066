// Users move from one node to another together or not at all; frozen links stay.
import { expect, test } from 'vitest'
import { freezeChain, replaceNode } from '../../src/graph/replace.ts'
import { createBlockGraph, freezeBackingChain, moveUsers, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { held, openSpec } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { chain, world } from '../helpers/world.ts'

const { consistentRead, write, all } = Permissions

test('all users move and their permissions with them', async () => {
  const [from, to] = [new Recorder(4096), new Recorder(4096)]
  await using opened = await openSpec(record(from))
  const above = await opened.graph.open(filterOver(opened.node))
  const target = await held(opened.graph, record(to))
  await moveUsers(opened.node, target)
  expect([opened.disk.root, above.root.children.get('file')]).toEqual([target, target])
  expect([from.permissions?.taken, to.permissions?.taken]).toEqual([0, consistentRead | write])
  await above.write(0, filled(1, 512))
  expect([from.take(), to.take()]).toEqual([[], ['write 0+512']])
})

test('users that are told to stay do', async () => {
  await using opened = await openSpec(record(new Recorder(4096)))
  const stays = opened.graph.backend(opened.node, { permissions: { taken: 0, shared: all }, name: 'source' })
  const target = await held(opened.graph, record(new Recorder(4096)))
  await moveUsers(opened.node, target, (name) => name === 'source')
  expect([stays.root, opened.disk.root]).toEqual([opened.node, target])
})

test('the users of an image go to one below it, whose own chain stays', async () => {
  const one = world()
  await using graph = one.graph
  await chain(one)
  const disk = await graph.open('top')
  const [top, mid] = [graphNode(disk.root), graphNode(disk.root.backing!)]
  mid.readOnly = false
  graphNode(mid.children.get('file')!).readOnly = false
  replaceNode(top, mid)
  expect([disk.root, top.backing, mid.parents.size]).toEqual([mid, mid, 2])
  // Nobody holds the top any more; it is closed with the graph.
  await disk.close()
  expect(graph.nodes.map((node) => node.filename)).toContain('top')
  await graph.close()
  expect(graph.nodes).toEqual([])
})

test('a node on top of another takes over its users, but not its own link', async () => {
  await using opened = await openSpec(record(new Recorder(4096)))
  const filter = graphNode((await opened.graph.open(filterOver(opened.node))).root)
  replaceNode(opened.node, filter)
  expect(opened.disk.root).toBe(filter)
  expect(filter.children.get('file')).toBe(opened.node)
})

test('where one user cannot have its permissions, nobody moves', async () => {
  await using opened = await openSpec(record(new Recorder(4096)))
  const reader = opened.graph.backend(opened.node, { permissions: { taken: consistentRead, shared: all } })
  const target = await held(opened.graph, record(new Recorder(4096)))
  const busy = opened.graph.backend(target, { permissions: { taken: 0, shared: consistentRead }, name: 'export' })
  await expect(moveUsers(opened.node, target)).rejects.toThrow("permissions 'write' are both required by")
  expect([opened.disk.root, reader.root]).toEqual([opened.node, opened.node])
  await opened.disk.write(0, filled(1, 512))
  await busy.close()
  await moveUsers(opened.node, target)
  expect(opened.disk.root).toBe(target)
})

test('a frozen link keeps its node, and nobody else moves either', async () => {
  await using opened = await openSpec(record(new Recorder(4096)))
  const above = graphNode((await opened.graph.open(filterOver(opened.node))).root)
  const target = await held(opened.graph, record(new Recorder(4096)))
  const unfreeze = freezeBackingChain(above, opened.node)
  const text = `Cannot change 'file' link to '${opened.node.nodeName}'`
  await expect(moveUsers(opened.node, target)).rejects.toThrow(text)
  expect(opened.disk.root).toBe(opened.node)
  unfreeze()
  await moveUsers(opened.node, target)
  expect(above.children.get('file')).toBe(target)
})

test('a chain is frozen as a whole or not at all', async () => {
  const one = world()
  await using graph = one.graph
  await chain(one)
  const top = graphNode((await graph.open('top', { readOnly: true })).root)
  const mid = graphNode(top.backing!)
  const base = graphNode(mid.backing!)
  const unfreeze = freezeChain(mid, base)
  const text = `Cannot change 'backing' link from '${mid.nodeName}' to '${base.nodeName}'`
  expect(() => freezeChain(top, base)).toThrow(text)
  expect(top.backingEdge?.frozen).toBe(false)
  unfreeze()
  freezeChain(top, base)()
  freezeChain(base, base)()
  expect(() => freezeChain(base, top)).toThrow(`node '${top.nodeName}' is not below '${base.nodeName}'`)
  expect([top, mid].map((node) => node.backingEdge?.frozen)).toEqual([false, false])
  const [first, second] = [freezeChain(top, mid), freezeChain(mid, base)]
  first()
  freezeChain(top, mid)
  first()
  expect([top, mid].map((node) => node.backingEdge?.frozen)).toEqual([true, true])
  second()
})

test('limits follow the new child', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const small = new Recorder(4096)
  small.limits = { maxTransfer: 512 }
  const from = await held(graph, record(new Recorder(4096)))
  const to = await held(graph, record(small))
  const disk = await graph.open(filterOver(from))
  await moveUsers(from, to, (name) => name === 'root')
  await disk.write(0, filled(1, 1024))
  expect(small.take()).toEqual(['write 0+512', 'write 512+512'])
})
