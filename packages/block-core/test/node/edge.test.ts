// A driver's view of a child: requests reach the node, lengths follow, and moving the edge changes the node.
import { expect, test } from 'vitest'
import { createBlockGraph } from '../../src/index.ts'
import { Edge } from '../../src/node/edge.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { Permissions } from '../../src/node/permissions.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { Recorder, record } from '../helpers/recorder.ts'

test('every operation of a child reaches its node', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const recorder = new Recorder(4096)
  const disk = await graph.open(record(recorder), { unmap: true })
  const node = graphNode(disk.root)
  const edge = new Edge('file', 19, { description: 'a test', node: undefined }, node)
  edge.permissions = { taken: Permissions.all, shared: Permissions.all }
  await edge.write(4096, filled(1, 512))
  expect(edge.length).toBe(4608)
  await edge.read(0, new Uint8Array(10))
  await edge.writeZeroes(0, 100)
  await edge.discard(0, 100)
  await edge.flush()
  await edge.truncate(1024)
  await edge.debugEvent('l1_update')
  expect(recorder.take()).toEqual([
    'write 4096+512',
    'read 0+10',
    'zero 0+100',
    'discard 0+100',
    'flush',
    'truncate 1024',
  ])
  expect(await edge.blockStatus(0, 4096)).toMatchObject({ bytes: 1024, data: true, eof: true })
  expect(await edge.isZeroFast(2000, 100)).toBe(true)
  expect([await edge.readsZero(1000, 100), await edge.readsZero(1024, 100)]).toEqual([false, true])
  expect(await edge.allocatedBytes()).toBeUndefined()
})

// Seen in the reference: a file with discard=ignore gets no hole through the image above it, whatever that is opened with.
test("a driver's mayUnmap reaches only nodes that were opened with discard=unmap", async () => {
  for (const unmap of [true, false]) {
    await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
    const recorder = new Recorder(4096)
    const spec = filterOver(record(recorder, { common: { discard: unmap ? 'unmap' : 'ignore' } }))
    const disk = await graph.open(spec, { unmap: !unmap })
    await disk.writeZeroes(0, 4096, { mayUnmap: true })
    expect(recorder.take()).toEqual([`zero 0+4096${unmap ? ' unmap' : ''}`])
  }
})

test('moving an edge takes it from one node to the other', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const a = graphNode((await graph.open(record(new Recorder(512)))).root)
  const b = graphNode((await graph.open(record(new Recorder(1024)))).root)
  const moved: number[] = []
  const edge = new Edge(
    'x',
    1,
    { description: 'a test', node: undefined, moved: (it) => moved.push(it.node.length) },
    a,
  )
  a.parents.add(edge)
  edge.move(b)
  expect([a.parents.has(edge), b.parents.has(edge), moved]).toEqual([false, true, [1024]])
  b.parents.delete(edge)
})
