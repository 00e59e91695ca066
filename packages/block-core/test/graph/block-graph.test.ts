// The graph as its users see it: opening, nodes and their names, and closing everything whatever happens.
import { beforeEach, expect, test } from 'vitest'
import { createBlockGraph, type Diagnostic, Permissions } from '../../src/index.ts'
import { MemoryStore, memory, memoryDriver } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'
import { type CountedWorld, countedWorld } from '../helpers/counted.ts'
import { gate, held, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

let at: CountedWorld
beforeEach(async () => {
  at = countedWorld()
  await at.graph.create('toy', 'base', { size: 65536 })
  await at.graph.create('toy', 'top', { size: 65536, backing: { filename: 'base', format: 'toy' } })
  return () => at.graph.close()
})

test('a disk is written, closed, and reads the same when it is opened again', async () => {
  {
    await using disk = await at.graph.open('top')
    await disk.write(5000, filled(7, 3000))
  }
  expect([at.open, at.graph.nodes]).toEqual([[], []])
  await using disk = await at.graph.open('top', { readOnly: true })
  const into = new Uint8Array(3000)
  await disk.read(5000, into)
  expect(into).toEqual(filled(7, 3000))
})

test('nodes are listed newest first, and found by name', async () => {
  const disk = await at.graph.open('top', { nodeName: 'me' })
  expect(at.graph.nodes.map(({ filename, driverName }) => `${driverName} ${filename}`)).toEqual([
    'toy base',
    'file base',
    'toy top',
    'file top',
  ])
  expect([at.graph.node('me'), at.graph.node('you')]).toEqual([disk.root, undefined])
  expect(at.graph.backingReference(disk.root)).toEqual({ filename: 'base', format: 'toy' })
  expect(at.graph.drivers.map(({ formatName }) => formatName)).toEqual(['file', 'raw', 'toy'])
})

test('what a user takes follows from how it opens', async () => {
  const { consistentRead, write, all } = Permissions
  const recorder = new Recorder(512)
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const taken = async (options: Parameters<typeof graph.open>[1]) => {
    const disk = await graph.open(record(recorder), options)
    const { permissions } = recorder
    await disk.close()
    return permissions
  }
  expect(await taken({})).toEqual({ taken: consistentRead | write, shared: all })
  expect(await taken({ readOnly: true })).toEqual({ taken: consistentRead, shared: all })
  expect(await taken({ readOnly: true, noIo: true })).toEqual({ taken: 0, shared: all })
  expect(await taken({ readOnly: true, share: consistentRead })).toEqual({
    taken: consistentRead,
    shared: consistentRead,
  })
})

test('a node whose user cannot be had is closed', async () => {
  const recorder = new Recorder(512)
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  recorder.lock = ({ taken }) => {
    if (taken !== 0) throw new Error('Failed to get "write" lock')
  }
  expect(await failure(graph.open(record(recorder)))).toBe('Failed to get "write" lock')
  expect([recorder.closed, graph.nodes]).toEqual([1, []])
})

test('closing the graph closes every disk, also those that fail, and tells the first failure', async () => {
  const messages: Diagnostic[] = []
  const graph = createBlockGraph({
    drivers: [],
    implicitOpen: 'deny',
    onDiagnostic: (message) => messages.push(message),
  })
  const recorders = [new Recorder(512), new Recorder(512), new Recorder(512)]
  for (const [index, recorder] of recorders.entries()) {
    const disk = await graph.open(record(recorder))
    await disk.write(0, filled(1, 512))
    recorder.before = () => (index === 0 ? undefined : Promise.reject(new Error(`disk ${index} is gone`)))
  }
  expect(await failure(graph.close())).toBe('disk 1 is gone')
  expect(recorders.map(({ closed }) => closed)).toEqual([1, 1, 1])
  expect([graph.nodes, messages]).toEqual([[], [{ kind: 'error', text: 'disk 2 is gone' }]])
  await graph.close()
})

test('closing the graph waits for a disk that is closing already, and closes what nobody holds', async () => {
  const graph = createBlockGraph({ drivers: [memoryDriver], implicitOpen: 'deny' })
  const recorder = new Recorder(512)
  const disk = await graph.open(record(recorder))
  await disk.write(0, filled(1, 512))
  const hold = gate()
  recorder.before = () => hold.opened
  const closing = disk.close()
  let isClosed = false
  const all = graph.close().then(() => {
    isClosed = true
  })
  await settle()
  expect(isClosed).toBe(false)
  hold.open()
  await Promise.all([closing, all])
  const node = await held(graph, memory(new MemoryStore(512)))
  node.parents.clear()
  await graph.close()
  expect(graph.nodes).toEqual([])
})

test('create makes an image that is checked first', async () => {
  await at.graph.create('toy', 'new', { size: 4096 })
  expect(at.files.has('new')).toBe(true)
  expect(await failure(at.graph.create('toy', 'newer', {}))).toBe('Image creation needs a size parameter')
  expect(at.files.has('newer')).toBe(false)
})

test('a name may come with options of its node and children', async () => {
  await using disk = await at.graph.open('top', { options: new Map([['node-name', 'mine']]), readOnly: true })
  expect([disk.root.nodeName, disk.root.backing?.filename]).toEqual(['mine', 'base'])
})

test('options may be an object, as in creation', async () => {
  await using disk = await at.graph.open('top', { options: { 'node-name': 'mine' }, readOnly: true })
  expect(disk.root.nodeName).toBe('mine')
  await at.graph.reopen([{ node: 'mine', options: { 'read-only': false }, keepOld: true }])
  expect(disk.root.readOnly).toBe(false)
})
