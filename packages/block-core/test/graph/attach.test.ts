// Edges come and go whole: what a failure leaves, in which order things close, and who may still come.
import { expect, test } from 'vitest'
import { ChildRoles } from '../../src/driver.ts'
import { attachChild, attachUser, closeUnused, detach } from '../../src/graph/attach.ts'
import { reaches } from '../../src/graph/edge-steps.ts'
import { GraphCore } from '../../src/graph/graph-core.ts'
import { createBlockGraph, type Diagnostic, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { gate, held, openSpec, settle } from '../helpers/open-recorder.ts'
import { pair, pairOf } from '../helpers/pair.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

const { consistentRead, write, all } = Permissions
const reader = { permissions: { taken: consistentRead, shared: all } }
const writer = { permissions: { taken: consistentRead | write, shared: all } }

test('the last user closes the node: flush, driver, then children, each flushed after what is above it', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(pair(recorder))
  await opened.disk.write(0, filled(1, 512))
  recorder.take()
  await opened.disk.close()
  expect(recorder.take()).toEqual(['to os', 'to disk', 'flush', 'close'])
  expect([recorder.closed, opened.graph.nodes]).toEqual([1, []])
})

// What the driver writes while it closes is newer than the flush before: it needs one of its own.
test('what is written at close is flushed, also into a file that others keep open', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const file = new Recorder(4096)
  const other = new Recorder(4096)
  const kept = await held(graph, record(other))
  const disk = await graph.open(pairOf({ recorder: file, other: kept }))
  await disk.write(0, filled(1, 512))
  other.take()
  await disk.close()
  expect(other.take()).toEqual(['write 0+1', 'flush'])
  expect([file.closed, other.closed]).toEqual([1, 0])
})

test('a writer that leaves others behind flushes: those who stay may not be allowed to', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(pair(recorder))
  const stays = opened.graph.backend(opened.node, reader)
  await opened.disk.write(0, filled(1, 512))
  recorder.take()
  await opened.disk.close()
  expect(recorder.take()).toEqual(['to os', 'to disk', 'flush'])
  await stays.close()
  expect(recorder.closed).toBe(1)
})

test('a failing flush is told, and everything is closed all the same', async () => {
  const messages: Diagnostic[] = []
  await using graph = createBlockGraph({
    drivers: [],
    implicitOpen: 'deny',
    onDiagnostic: (message) => messages.push(message),
  })
  const recorder = new Recorder(4096)
  const disk = await graph.open(pair(recorder))
  await disk.write(0, filled(1, 512))
  recorder.before = (request) => (request === 'flush' ? Promise.reject(new Error('no flush')) : undefined)
  expect(await failure(disk.close())).toBe('no flush')
  expect([recorder.closed, graph.nodes, messages]).toEqual([1, [], []])
})

test('two users that leave at the same time close the node once', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(pair(recorder))
  const second = opened.graph.backend(opened.node, writer)
  await opened.disk.write(0, filled(1, 512))
  await Promise.all([opened.disk.close(), second.close()])
  expect([recorder.closed, opened.node.parents.size, opened.graph.nodes]).toEqual([1, 0, []])
})

test('a node that is closing has no name any more and takes no users', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder, { nodeName: 'going' }))
  const hold = gate()
  await opened.disk.write(0, filled(1, 512))
  recorder.before = () => hold.opened
  const closing = opened.disk.close()
  await settle()
  expect(opened.graph.node('going')).toBeUndefined()
  expect(() => opened.graph.backend(opened.node, reader)).toThrow('No medium found')
  expect(await failure(opened.graph.open(pairOf({ recorder, file: opened.node })))).toBe('No medium found')
  await opened.graph.open(record(new Recorder(512), { nodeName: 'going' }))
  hold.open()
  await closing
  expect(opened.graph.node('going')?.length).toBe(512)
})

test('a closed node answers ENOMEDIUM', async () => {
  await using opened = await openSpec(record(new Recorder(4096)))
  const { node } = opened
  await opened.disk.close()
  expect(() => node.length).toThrow('No medium found')
  expect(() => node.limits).toThrow('No medium found')
})

test('circles are refused and leave no edge', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const recorder = new Recorder(4096)
  const below = await held(graph, record(recorder, { nodeName: 'below' }))
  const above = graphNode((await graph.open({ ...pairOf({ recorder, file: below }), nodeName: 'above' })).root)
  expect([reaches(above, below), reaches(below, above), reaches(below, below)]).toEqual([true, false, true])
  const text = "Making 'above' a backing child of 'below' would create a cycle"
  expect(() => attachChild(below, 'backing', ChildRoles.cow, above)).toThrow(text)
  expect(() => attachChild(below, 'backing', ChildRoles.cow, below)).toThrow('would create a cycle')
  expect([below.edges.size, below.parents.size, above.parents.size]).toEqual([0, 2, 1])
})

test('a second child of the same name is a bug, not a leak', async () => {
  await using opened = await openSpec(pair(new Recorder(4096)))
  const file = graphNode(opened.node.children.get('file')!)
  expect(() => attachChild(opened.node, 'file', ChildRoles.image, file)).toThrow('has a file child already')
  expect(file.parents.size).toBe(1)
})

test('a user whose permissions cannot be had leaves no edge', async () => {
  await using opened = await openSpec(record(new Recorder(4096)), { readOnly: true })
  const parent = { description: 'a test', node: undefined }
  expect(() => attachUser(parent, 'root', opened.node, { taken: write, shared: all })).toThrow('read-only')
  expect(opened.node.parents.size).toBe(1)
})

test('an unused node is closed quietly: what that meets is a diagnostic', async () => {
  const messages: string[] = []
  const core = new GraphCore({ drivers: [], implicitOpen: 'deny', onDiagnostic: ({ text }) => messages.push(text) })
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  await closeUnused(core, opened.node)
  expect(recorder.closed).toBe(0)
  const [edge] = opened.node.parents
  await opened.disk.write(0, filled(1, 512))
  opened.node.parents.delete(edge!)
  recorder.before = () => Promise.reject(new Error('no flush'))
  await closeUnused(core, opened.node)
  await closeUnused(core, opened.node)
  expect([recorder.closed, messages]).toEqual([1, ['no flush']])
  opened.node.parents.add(edge!)
})

// The flush before takes its time: the edge may lead to another node when it is done.
test('a user that is moved while it leaves lets go of the node that it came to', async () => {
  const [recorder, other] = [new Recorder(4096), new Recorder(4096)]
  await using opened = await openSpec(record(recorder, { nodeName: 'n' }))
  const stays = opened.graph.backend(opened.node, reader)
  await opened.disk.write(0, filled(1, 512))
  const hold = gate()
  recorder.before = (request) => (request === 'flush' ? hold.opened : undefined)
  const closing = opened.disk.close()
  await settle()
  const inserting = opened.graph.insertFilter(opened.node, filterOver(opened.node, { nodeName: 'f' }))
  await settle()
  hold.open()
  await closing
  const filter = graphNode(await inserting)
  // Its place is taken by the filter's own link: the node is in use all the same.
  expect([recorder.closed, filter.parents.size, opened.node.parents.size, stays.root]).toEqual([0, 1, 1, filter])
  await stays.read(0, new Uint8Array(512))
  expect(recorder.permissions?.taken).toBe(consistentRead)
  const next = await opened.graph.addNode(record(other, { nodeName: 'other' }))
  const last = opened.graph.backend(filter, writer)
  const again = gate()
  recorder.before = (request) => (request === 'flush' ? again.opened : undefined)
  await last.write(0, filled(2, 512))
  const leaving = last.close()
  await settle()
  const replacing = opened.graph.replaceNode(filter, next)
  await settle()
  again.open()
  await Promise.all([leaving, replacing])
  expect([graphNode(next).parents.size, other.permissions?.taken, other.closed]).toEqual([1, consistentRead, 0])
})

test('who comes to nothing while its parent closes is closed, too', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(pair(recorder))
  const late = await held(opened.graph, record(new Recorder(4096)))
  await opened.disk.close()
  expect(() => attachChild(opened.node, 'late', ChildRoles.data, late)).toThrow('No medium found')
  expect([late.parents.size, opened.node.edges.size]).toEqual([1, 0])
})

test('an edge that is let go of twice closes nothing that others use', async () => {
  const core = new GraphCore({ drivers: [], implicitOpen: 'deny' })
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const edge = attachUser({ description: 'a test', node: undefined }, 'root', opened.node, { taken: 0, shared: all })
  await detach(core, edge)
  await detach(core, edge)
  expect([recorder.closed, opened.node.parents.size]).toEqual([0, 1])
})
