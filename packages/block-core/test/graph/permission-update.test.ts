// Permissions go down from users to storage, parents first, and hold as a whole or not at all.
import { expect, test } from 'vitest'
import { attachUser } from '../../src/graph/attach.ts'
import {
  changePermissions,
  cumulativePermissions,
  refreshPermissions,
  setEdgePermissions,
} from '../../src/graph/permission-update.ts'
import { GraphTransaction } from '../../src/graph/transaction.ts'
import { createBlockGraph, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import type { PermissionSet } from '../../src/node/permissions.ts'
import { filterOver } from '../helpers/filter.ts'
import { held, openSpec } from '../helpers/open-recorder.ts'
import { pair, pairOf } from '../helpers/pair.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

const { consistentRead, write, resize, writeUnchanged, all } = Permissions

test('a writable format takes what it needs of its file, more once its users write', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(pair(recorder))
  expect(cumulativePermissions(opened.node)).toEqual({ taken: consistentRead | write, shared: all })
  expect(recorder.permissions).toEqual({
    taken: consistentRead | write | resize,
    shared: consistentRead | writeUnchanged,
  })
  const reader = opened.graph.backend(opened.node, { permissions: { taken: 0, shared: consistentRead | write } })
  expect(cumulativePermissions(opened.node).shared).toBe(consistentRead | write)
  await reader.close()
  expect(cumulativePermissions(opened.node).shared).toBe(all)
})

test('a child that is read whoever writes to it shares everything, whatever its parent is like', async () => {
  const shared = async (child: boolean, parent: boolean) => {
    const recorder = new Recorder(4096)
    const spec = pairOf({ recorder, file: record(recorder, { common: { 'force-share': child } }) })
    await using opened = await openSpec(spec, { readOnly: true, forceShare: parent })
    return opened.node.edges.get('file')!.permissions.shared
  }
  expect([await shared(true, false), await shared(true, true)]).toEqual([all, all])
  expect([await shared(false, true), await shared(false, false)]).toEqual([5, 5])
})

// Seen with the reference's storage daemon: the user that was there is told first.
test('the message of a conflict has the newest user in the second place', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const recorder = new Recorder(4096)
  const file = await held(graph, record(recorder, { nodeName: 'f' }))
  const a = await graph.open({ ...pairOf({ recorder, file }), nodeName: 'a' })
  const text =
    "Permission conflict on node 'f': permissions 'write, resize' are both required by node 'a' (uses node 'f' as 'file' child) and unshared by node 'b' (uses node 'f' as 'file' child)."
  expect(await failure(graph.open({ ...pairOf({ recorder, file }), nodeName: 'b' }))).toBe(text)
  expect([...graph.nodes].map((node) => node.nodeName)).toEqual(['a', 'f'])
  expect(await failure(a.write(0, new Uint8Array(512)))).toBe('no failure')
})

test('a writer on a read-only node is refused', async () => {
  await using opened = await openSpec(pair(new Recorder(4096)), { readOnly: true })
  for (const taken of [write, writeUnchanged])
    expect(() => opened.graph.backend(opened.node, { permissions: { taken, shared: all } })).toThrow(
      'Block node is read-only',
    )
  expect(opened.node.parents.size).toBe(1)
})

test('an image that ends inside a block is written only by who may make it longer', async () => {
  const recorder = new Recorder(1536)
  recorder.limits = { requestAlignment: 4096 }
  const text = "Cannot get 'write' permission without 'resize': Image size is not a multiple of request alignment"
  expect(await failure(openSpec(record(recorder)))).toBe(text)
  expect(recorder.closed).toBe(1)
  await using opened = await openSpec(record(recorder), { readOnly: true })
  expect(opened.disk.length).toBe(1536)
})

/** A recorder that refuses what a test says, and keeps what it was told. */
function locked(refuse: (permissions: PermissionSet) => boolean): { recorder: Recorder; told: PermissionSet[] } {
  const recorder = new Recorder(4096)
  const told: PermissionSet[] = []
  recorder.lock = (permissions) => {
    if (refuse(permissions)) throw new Error('Failed to get "write" lock')
    told.push(permissions)
  }
  return { recorder, told }
}

test('where the second of two files refuses, the first and all edges are as before', async () => {
  const first = locked(() => false)
  const second = locked(({ taken }) => (taken & write) !== 0 && isRefusing)
  let isRefusing = false
  const spec = pairOf({ recorder: first.recorder, unwritten: record(second.recorder) })
  await using opened = await openSpec(spec, { readOnly: true })
  opened.node.readOnly = false
  graphNode(opened.node.children.get('file')!).readOnly = false
  graphNode(opened.node.children.get('unwritten')!).readOnly = false
  const before = [first.recorder.permissions, second.recorder.permissions]
  const edges = [...opened.node.edges.values()].map((edge) => edge.permissions)
  isRefusing = true
  const writer = () => opened.graph.backend(opened.node, { permissions: { taken: write, shared: all } })
  expect(writer).toThrow('Failed to get "write" lock')
  expect([first.recorder.permissions, second.recorder.permissions]).toEqual(before)
  expect([...opened.node.edges.values()].map((edge) => edge.permissions)).toEqual(edges)
  expect(opened.node.parents.size).toBe(1)
  isRefusing = false
  writer()
  expect(second.recorder.permissions?.taken).toBe(consistentRead | write | resize)
})

// A lock that is let go of may be gone when the change must be taken back: nothing is let go of before all is taken.
test('storage holds the old and the new until the change holds', async () => {
  const { recorder, told } = locked(() => false)
  await using opened = await openSpec(record(recorder))
  const [edge] = opened.node.parents
  told.length = 0
  setEdgePermissions(edge!, { taken: writeUnchanged, shared: all & ~write })
  expect(told).toEqual([
    { taken: consistentRead | write | writeUnchanged, shared: all & ~write },
    { taken: writeUnchanged, shared: all & ~write },
  ])
  told.length = 0
  setEdgePermissions(edge!, { taken: 0, shared: all & ~write })
  expect(told).toEqual([
    { taken: writeUnchanged, shared: all & ~write },
    { taken: 0, shared: all & ~write },
  ])
})

// Looking at a node while only some of its parents have their new permissions would find conflicts that are not there.
test('a node below two others is looked at when both are settled', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const file = await held(graph, record(new Recorder(4096)))
  const left = graphNode((await graph.open(filterOver(file), { share: consistentRead })).root)
  const right = graphNode((await graph.open(filterOver(file), { readOnly: true })).root)
  right.readOnly = false
  const writes = (node: typeof left) => (node.edges.get('file')!.permissions.taken & write) !== 0
  expect([writes(left), writes(right)]).toEqual([true, false])
  // The two users change places in one step.
  const [leftUser] = left.parents
  const [rightUser] = right.parents
  ;[leftUser!.permissions, rightUser!.permissions] = [rightUser!.permissions, leftUser!.permissions]
  refreshPermissions(right, left)
  expect([writes(left), writes(right)]).toEqual([false, true])
})

// A reopening is such a change: its drivers take their time.
test('a change that holds at last lets go only of what nobody has taken since', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const [edge] = opened.node.parents
  const before = edge!.permissions
  const transaction = new GraphTransaction()
  changePermissions(transaction, edge!, { taken: 0, shared: Permissions.all })
  const other = attachUser({ description: 'a test', node: undefined }, 'root', opened.node, before)
  transaction.commit()
  expect(recorder.permissions).toEqual(before)
  opened.node.parents.delete(other)
})
