// A user of a node: bounds, durability, permissions that come and go, and a close that loses nothing.
import { beforeEach, expect, test } from 'vitest'
import { nodeOf } from '../../src/backend/block-backend.ts'
import { BlockError } from '../../src/driver.ts'
import { createBlockGraph, Permissions } from '../../src/index.ts'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { Clusters, clustersOver } from '../helpers/clusters.ts'
import { gate, openRecorder, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure, type World, world } from '../helpers/world.ts'

const { consistentRead, write, writeUnchanged, resize, all } = Permissions

test.each([
  [3584, 1024],
  [4096, 1],
  [9999, 1],
  [-1, 512],
  [0.5, 1],
])('a request outside the device never reaches the node: %d + %d', async (offset, bytes) => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const { disk } = opened
  for (const request of [
    () => disk.read(offset, new Uint8Array(bytes)),
    () => disk.write(offset, new Uint8Array(bytes)),
    () => disk.writeZeroes(offset, bytes),
    () => disk.discard(offset, bytes),
  ])
    expect(await failure(request())).toBe('Input/output error')
  expect([recorder.take(), disk.length]).toEqual([[], 4096])
})

test('an empty request at the end succeeds', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  await opened.disk.read(4096, new Uint8Array(0))
  await opened.disk.write(4096, new Uint8Array(0))
})

test('writethrough: every write and zero write is flushed, discards are not', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder), { cache: { writeThrough: true }, unmap: true })
  await opened.disk.write(0, filled(1, 512))
  await opened.disk.writeZeroes(0, 512)
  await opened.disk.discard(0, 512)
  expect(recorder.take()).toEqual(['write 0+512', 'flush', 'zero 0+512', 'flush', 'discard 0+512'])
})

test('flags reach the driver', async () => {
  const recorder = new Recorder(4096)
  recorder.supportsFua = true
  await using opened = await openRecorder(recorder)
  await opened.disk.write(0, filled(1, 512), { fua: true })
  await opened.disk.writeZeroes(0, 512, { fua: true, mayUnmap: true })
  expect(recorder.take()).toEqual(['write 0+512 fua', 'zero 0+512 unmap fua'])
})

test('the permission to resize is held from the first truncate to the last', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const holds: (() => void)[] = []
  recorder.before = (request) => {
    const hold = gate()
    holds.push(hold.open)
    return request.startsWith('truncate') ? hold.opened : undefined
  }
  const first = opened.disk.truncate(8192)
  const second = opened.disk.truncate(2048)
  await settle()
  expect(recorder.permissions?.taken).toBe(consistentRead | write | resize)
  while (holds.length > 0) {
    holds.shift()!()
    await settle()
  }
  await Promise.all([first, second])
  expect(recorder.permissions?.taken).toBe(consistentRead | write)
})

test('a truncate that others do not share fails and leaves no permission behind', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const other = opened.graph.backend(opened.node, { permissions: { taken: 0, shared: all & ~resize }, name: 'x' })
  expect(await failure(opened.disk.truncate(8192))).toMatch(/^Permission conflict on node '.*': permissions 'resize' /)
  await other.close()
  expect(recorder.permissions).toEqual({ taken: consistentRead | write, shared: all })
  await opened.disk.truncate(8192)
  expect(opened.disk.length).toBe(8192)
  expect(recorder.permissions?.taken).toBe(consistentRead | write)
})

test('a name and a description stand in conflict messages', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const permissions = { taken: 0, shared: consistentRead }
  const job = { permissions, name: 'target', description: "commit job 'j'" }
  const node = opened.node.nodeName
  expect(() => opened.graph.backend(opened.node, job)).toThrow(
    `Permission conflict on node '${node}': permissions 'write' are both required by an unnamed block device (uses node '${node}' as 'root' child) and unshared by commit job 'j' (uses node '${node}' as 'target' child).`,
  )
})

test('closing waits for what is under way, and refuses what comes', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  recorder.before = (request) => (request.startsWith('write') ? hold.opened : undefined)
  const writing = opened.disk.write(0, filled(1, 512))
  const closing = opened.disk.close()
  expect(await failure(opened.disk.write(512, filled(1, 512)))).toBe('No medium found')
  await settle()
  expect(recorder.closed).toBe(0)
  hold.open()
  await Promise.all([writing, closing])
  expect([recorder.take(), recorder.closed]).toEqual([['write 0+512', 'flush'], 1])
})

test('closing lets go of what the driver holds back', async () => {
  const opened = await openSpec(record(new Recorder(4096)))
  const hold = gate()
  const { layer } = opened.node
  const told: string[] = []
  opened.node.setLayer({
    ...layer,
    length: 4096,
    read: () => hold.opened,
    drainBegin: () => {
      told.push('begin')
      hold.open()
    },
    drainEnd: () => void told.push('end'),
  })
  const read = opened.disk.read(0, new Uint8Array(512))
  await opened.disk.close()
  await read
  expect(told).toEqual(['begin', 'end'])
  await opened.graph.close()
})

test('closing twice closes once; the failure is told to the first', async () => {
  const recorder = new Recorder(4096)
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(record(recorder))
  await disk.write(0, filled(1, 512))
  recorder.before = () => Promise.reject(new Error('no flush'))
  const outcomes = [failure(disk.close()), failure(disk.close())]
  expect([await outcomes[0], await outcomes[1], await failure(disk.close())]).toEqual([
    'no flush',
    'no failure',
    'no failure',
  ])
  expect(recorder.closed).toBe(1)
  await graph.close()
})

test('a closed disk answers ENOMEDIUM, always as a rejection', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const { disk } = opened
  await disk.close()
  for (const request of [
    () => disk.read(0, new Uint8Array(1)),
    () => disk.flush(),
    () => disk.truncate(512),
    () => disk.blockStatus(0, 512),
    () => disk.check(),
    () => disk.makeEmpty(),
  ])
    expect(await failure(request())).toBe('No medium found')
  expect(() => disk.root).toThrow('No medium found')
  expect(() => disk.length).toThrow('No medium found')
})

let at: World
beforeEach(() => {
  at = world()
  return () => at.graph.close()
})

test('formats without a check say so', async () => {
  await using opened = await openRecorder(new Recorder(512))
  expect(await failure(opened.disk.check())).toBe('This image format does not support checks')
})

test('what the format says about itself, and the node behind a user', async () => {
  await at.graph.create('toy', 'image', { size: 4096 })
  const disk = await at.graph.open('image')
  expect(disk.info).toMatchObject({ clusterSize: 4096 })
  expect([nodeOf(disk), nodeOf(disk.root)]).toEqual([disk.root, disk.root])
  await using plain = await openRecorder(new Recorder(512))
  expect(plain.disk.info).toEqual({})
})

// With whole clusters as the smallest request, a length between two of them asks writers for the permission to resize.
test('giving permissions back never fails: what a length then asks for stays', async () => {
  const recorder = new Recorder(65536)
  recorder.limits = { requestAlignment: 65536 }
  await using opened = await openRecorder(recorder)
  await opened.disk.truncate(65536 + 512)
  expect(recorder.permissions?.taken).toBe(consistentRead | write | resize)
  await opened.disk.write(65536, filled(1, 512))
  await opened.disk.truncate(131072)
  expect(recorder.permissions?.taken).toBe(consistentRead | write)
})

test('a user that leaves is not told what the others would need', async () => {
  const recorder = new Recorder(65536)
  recorder.limits = { requestAlignment: 65536 }
  await using opened = await openRecorder(recorder)
  const other = opened.graph.backend(opened.node, { permissions: { taken: write | resize, shared: all } })
  await other.truncate(65536 + 512)
  await other.close()
  await opened.disk.write(65536, filled(1, 512))
})

test('a driver that fails to come to rest does not keep its user from going', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  recorder.before = (request) => (request.startsWith('write') ? hold.opened : undefined)
  Object.assign(opened.node.layer, {
    drainBegin: async () => {
      throw new BlockError('EIO', 'not at rest')
    },
  })
  const writing = opened.disk.write(0, filled(1, 512))
  const closing = failure(opened.disk.close())
  await settle()
  expect(recorder.closed).toBe(0)
  hold.open()
  expect(await closing).toBe('not at rest')
  await writing
  expect([recorder.closed, opened.graph.nodes.length]).toEqual([1, 0])
})

test.each([
  ['blockStatus', -1],
  ['blockStatus', 0.5],
  ['isAllocated', -512],
  ['isAllocated', Number.NaN],
] as const)('a %s at %d never reaches the node', async (what, offset) => {
  await using opened = await openRecorder(new Recorder(4096))
  expect(await failure(opened.disk[what](offset, 512))).toBe('Input/output error')
})

test('writethrough: a compressed write is flushed too', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder), { cache: { writeThrough: true } })
  const { writer } = opened.node.layer
  Object.assign(writer!, { writeCompressed: () => recorder.note('compressed') })
  await opened.disk.writeCompressed(0, filled(1, 512))
  expect(recorder.take()).toEqual(['compressed', 'flush'])
})

test('who may not write has nothing copied by its reads', async () => {
  const clusters = new Clusters(8192)
  await using opened = await openSpec(clustersOver(clusters, record(new Recorder(stamped(0, 8192)))))
  const reader = opened.graph.backend(opened.node, { permissions: { taken: consistentRead, shared: all } })
  const into = new Uint8Array(512)
  expect(await failure(reader.read(0, into, { copyOnRead: true }))).toBe('Operation not permitted')
  expect([...clusters.allocated]).toEqual([])
  const copier = opened.graph.backend(opened.node, { permissions: { taken: writeUnchanged, shared: all } })
  await copier.read(0, into, { copyOnRead: true })
  expect([into, ...clusters.allocated]).toEqual([stamped(0, 512), 0])
})

test('permissions and durability change while the node is open', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const { disk } = opened
  disk.setPermissions({ taken: consistentRead, shared: all & ~resize })
  expect(disk.permissions).toEqual({ taken: consistentRead, shared: all & ~resize })
  expect(recorder.permissions).toMatchObject({ taken: consistentRead, shared: all & ~resize })
  expect(await failure(disk.write(0, filled(1, 512)))).toBe('Operation not permitted')
  disk.setPermissions({ taken: consistentRead | write, shared: all })
  expect(disk.writeThrough).toBe(false)
  disk.writeThrough = true
  await disk.write(0, filled(1, 512))
  expect([recorder.take(), disk.writeThrough]).toEqual([['write 0+512', 'flush'], true])
})

test('permissions that cannot be had leave the old ones', async () => {
  await using opened = await openSpec(record(new Recorder(4096)), { readOnly: true })
  const { disk } = opened
  expect(() => disk.setPermissions({ taken: consistentRead | write, shared: all })).toThrow('Block node is read-only')
  expect(disk.permissions.taken).toBe(consistentRead)
})
