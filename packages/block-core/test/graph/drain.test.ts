// A drained section: users stop, what is under way ends, newcomers stop too, and everybody goes on afterwards.
import { expect, test } from 'vitest'
import { ChildRoles, type ChildSpec, defineDriver, nodeSpec } from '../../src/driver.ts'
import { beginDrain } from '../../src/graph/drain.ts'
import { drainedNode, drainNode, moveUsers, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { gate, held, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

const { consistentRead, write, all } = Permissions
const writer = { permissions: { taken: consistentRead | write, shared: all } }
const data = filled(1, 512)

test('a section begins when every request of every user has ended', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(filterOver(record(recorder)))
  const second = opened.graph.backend(opened.node, writer)
  const hold = gate()
  recorder.before = () => hold.opened
  const requests = [opened.disk.write(0, data), second.write(512, data)]
  let isDrained = false
  const draining = drainNode(opened.node.children.get('file')!).then((end) => {
    isDrained = true
    return end
  })
  await settle()
  expect(isDrained).toBe(false)
  hold.open()
  const end = await draining
  await Promise.all(requests)
  expect(opened.node.tracked.size).toBe(0)
  end()
})

test('requests wait until the last of several sections ends, and none is lost', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const ends = [await beginDrain(opened.node), await beginDrain(opened.node)]
  const waiting = [opened.disk.write(0, data), opened.disk.read(512, new Uint8Array(512)), opened.disk.discard(0, 512)]
  ends[0]!()
  await settle()
  expect(recorder.take()).toEqual([])
  ends[1]!()
  await Promise.all(waiting)
  expect(recorder.take().sort()).toEqual(['discard 0+512', 'read 512+512', 'write 0+512'])
  expect(opened.node.drains.size).toBe(0)
})

test('an owner that stops by itself is not held, but its requests are waited for', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const job = opened.graph.backend(opened.node, { ...writer, ignoreDrain: true })
  const hold = gate()
  recorder.before = () => hold.opened
  const early = job.write(0, data)
  const draining = drainNode(opened.node)
  await settle()
  hold.open()
  const end = await draining
  await early
  await job.write(512, data)
  expect(recorder.take()).toEqual(['write 0+512', 'write 512+512'])
  end()
})

// A backend made between a job's last look and its end would write where nobody looks any more.
test('who becomes a user during a section is stopped too', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const end = await drainNode(opened.node)
  const newcomer = opened.graph.backend(opened.node, writer)
  const above = await opened.graph.open(filterOver(opened.node))
  const writes = [newcomer.write(0, data), above.write(512, data)]
  await settle()
  expect(recorder.take()).toEqual([])
  end()
  await Promise.all(writes)
  expect(recorder.take()).toEqual(['write 0+512', 'write 512+512'])
})

test('users that move during the section wait for its end, and then go on with their new node', async () => {
  const [from, to] = [new Recorder(4096), new Recorder(4096)]
  await using opened = await openSpec(record(from))
  const target = await held(opened.graph, record(to))
  const writing = await drainedNode(opened.node, async () => {
    const request = opened.disk.write(0, data)
    await moveUsers(opened.node, target)
    await settle()
    expect(to.take()).toEqual([])
    return { request }
  })
  await writing.request
  expect([from.take(), to.take()]).toEqual([[], ['write 0+512']])
})

test('a user that is closed during a section fails what it had queued', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const second = opened.graph.backend(opened.node, writer)
  const end = await drainNode(opened.node)
  const queued = failure(second.write(0, data))
  await second.close()
  expect(await queued).toBe('No medium found')
  end()
  await opened.disk.write(0, data)
  expect(recorder.take()).toEqual(['write 0+512'])
})

test('a section ends also when what runs in it fails', async () => {
  await using opened = await openSpec(record(new Recorder(4096)))
  const section = drainedNode(opened.node, () => Promise.reject(new Error('broken')))
  expect(await failure(section)).toBe('broken')
  await opened.disk.write(0, data)
})

// A driver that holds requests back (throttle) must let them go, or the wait would never end; it cannot before its users
// have stopped, or new ones would come.
test('a layer is told after its users have stopped and before the wait, and of the end, once for each section', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(filterOver(record(recorder)))
  const log: string[] = []
  const hold = gate()
  const child = graphNode(opened.node.children.get('file')!)
  child.setLayer({
    ...child.layer,
    drainBegin: async () => {
      await settle()
      log.push(`begin, ${child.tracked.size} in flight`)
      hold.open()
    },
    drainEnd: () => void log.push('end'),
  })
  // Not a user's request: the layer's own business, that only the layer can end.
  const request = child.tracked.begin(0, 512)
  void hold.opened.then(() => child.tracked.end(request))
  const ends = [await beginDrain(child), await beginDrain(child)]
  expect(log).toEqual(['begin, 1 in flight', 'begin, 0 in flight'])
  ends[0]!()
  ends[1]!()
  expect(log.slice(2)).toEqual(['end', 'end'])
})

// A throttle node: its queue ends when it is told, not when its limits say so.
test('what a driver holds back of a user’s request is let go of', async () => {
  await using opened = await openSpec(filterOver(record(new Recorder(4096))))
  const hold = gate()
  const { layer } = opened.node
  opened.node.setLayer({
    ...layer,
    length: 4096,
    read: async (offset, into) => {
      await hold.opened
      await layer.read(offset, into)
    },
    drainBegin: () => hold.open(),
  })
  const read = opened.disk.read(0, new Uint8Array(512))
  const end = await drainNode(opened.node)
  await read
  end()
})

test('a section that fails to begin ends for the layers that had begun', async () => {
  await using opened = await openSpec(filterOver(record(new Recorder(4096))))
  const log: string[] = []
  const file = graphNode(opened.node.children.get('file')!)
  opened.node.setLayer({
    ...opened.node.layer,
    drainBegin: () => void log.push('begin'),
    drainEnd: () => void log.push('end'),
  })
  file.setLayer({ ...file.layer, drainBegin: () => Promise.reject(new Error('cannot stop')) })
  expect(await failure(beginDrain(file))).toBe('cannot stop')
  expect(log).toEqual(['begin', 'end'])
  expect(opened.node.drains.size + file.drains.size).toBe(0)
  await opened.disk.write(0, data)
})

// Of owners that are not stopped: a file may be exchanged for another one as soon as the section has begun.
test.each(['flush', 'blockStatus'] as const)('a section waits for a %s that is under way', async (what) => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(record(recorder))
  const job = opened.graph.backend(opened.node, { ...writer, ignoreDrain: true })
  await job.write(0, data)
  const hold = gate()
  recorder.before = () => hold.opened
  Object.assign(opened.node.layer, {
    mapping: {
      blockStatus: async (_offset: number, bytes: number) => {
        await recorder.note('status')
        return { bytes, data: true, zero: false }
      },
    },
  })
  const request = what === 'flush' ? job.flush() : job.blockStatus(0, 4096)
  let isDrained = false
  const draining = drainNode(opened.node).then((end) => {
    isDrained = true
    return end
  })
  await settle()
  expect(isDrained).toBe(false)
  hold.open()
  await request
  const end = await draining
  end()
})

test('users go on also where a driver fails to', async () => {
  const driver = defineDriver<{ file: ChildSpec }, never>({
    formatName: 'stuck',
    kind: 'filter',
    options: { file: { name: 'file', type: 'node', help: 'x' } },
    async open(context, options) {
      const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
      return {
        get length() {
          return file.length
        },
        read: (offset, into) => file.read(offset, into),
        drainBegin() {},
        drainEnd() {
          throw new Error('stuck')
        },
        close: async () => {},
      }
    },
  })
  await using opened = await openSpec(nodeSpec(driver, { file: record(new Recorder(4096)) }), { readOnly: true })
  const end = await beginDrain(opened.node)
  const read = opened.disk.read(0, new Uint8Array(512))
  expect(end).toThrow('stuck')
  await read
})
