/** Proves what an open node counts and holds back, and that draining, closing and reopening never wait for the clock. */

import { type BlockBackend, createBlockGraph, drainNode } from '@blocklayer/block-core'
import { BlockError, type Child, type WriteSupport } from '@blocklayer/block-core/driver'
import { filled, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createThrottleDriver, ThrottleGroup, type ThrottleLimits, throttle } from '../src/index.ts'
import { ThrottleLayer } from '../src/throttle-layer.ts'
import { ManualClock, openThrottled, referenceComplaint, settled, withoutReference } from './support.ts'

function newGroup(limits: ThrottleLimits, id = 'g'): { clock: ManualClock; group: ThrottleGroup } {
  const clock = new ManualClock()
  return { clock, group: new ThrottleGroup(id, limits, { clock }) }
}

/** Notes which of the requests have returned. */
function watch(requests: Readonly<Record<string, Promise<unknown>>>): string[] {
  const done: string[] = []
  for (const [name, request] of Object.entries(requests)) void request.then(() => done.push(name))
  return done
}

describe('requests', () => {
  test('reads, writes, zero writes and discards are counted, flushes are free', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const disk = await openThrottled(new MemoryStore(65536), group)
    const done = watch({
      write: disk.write(0, filled(1, 512)),
      read: disk.read(0, new Uint8Array(512)),
      zero: disk.writeZeroes(4096, 512),
      discard: disk.discard(8192, 512),
      vectors: disk.write(16384, [filled(2, 512), filled(3, 512)]),
      scattered: disk.read(16384, [new Uint8Array(512), new Uint8Array(512)]),
      flush: disk.flush(),
    })
    await settled()
    expect(done.sort()).toEqual(['flush', 'read', 'write'])
    for (let count = 4; count <= 7; count++) {
      await clock.advance(100)
      expect(done.length).toBe(count)
    }
  })

  test('bytes are those of the request', async () => {
    const { clock, group } = newGroup({ bpsWrite: 10_240 })
    const disk = await openThrottled(new MemoryStore(65536), group)
    const into = [new Uint8Array(1024), new Uint8Array(1024)]
    const done = watch({
      a: disk.write(0, [filled(1, 1024), filled(2, 1024)]),
      b: disk.read(0, into),
      c: disk.writeZeroes(0, 1024),
    })
    await clock.advance(99)
    expect(done.sort()).toEqual(['a', 'b'])
    await clock.advance(1)
    expect(done.sort()).toEqual(['a', 'b', 'c'])
  })

  test('compressed writes count, the end of a series does not', async () => {
    const { group, clock } = newGroup({ iopsWrite: 10 })
    const seen: number[] = []
    const file = {
      length: 4096,
      info: {},
      writeCompressed: async (_: number, data: Uint8Array) => seen.push(data.length),
    }
    const layer = new ThrottleLayer(file as unknown as Child, { throttleGroup: 'g' }, () => group)
    const writer = layer.writer as Required<WriteSupport>
    for (const bytes of [512, 512, 512, 0]) void writer.writeCompressed(0, new Uint8Array(bytes))
    await settled()
    expect(seen).toEqual([0, 512, 512].sort((a, b) => seen.indexOf(a) - seen.indexOf(b)))
    await clock.advance(100)
    expect(seen.length).toBe(4)
  })

  test('two disks share a group, in turns', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const [one, two] = [
      await openThrottled(new MemoryStore(4096), group),
      await openThrottled(new MemoryStore(4096), group),
    ]
    const done: string[] = []
    const read = (disk: BlockBackend, name: string) => disk.read(0, new Uint8Array(512)).then(() => done.push(name))
    for (const name of ['a0', 'a1', 'a2', 'a3', 'a4']) void read(one, name)
    for (const name of ['b0', 'b1']) void read(two, name)
    await clock.advance(1000)
    expect(done.map((name) => name[0]).join('')).toBe('aaababa')
  })
})

describe('drained', () => {
  test('what waits goes on at once, and limits hold again afterwards', async () => {
    const { clock, group } = newGroup({ iopsTotal: 1 })
    const disk = await openThrottled(new MemoryStore(65536), group)
    const requests = Array.from({ length: 8 }, (_, i) => disk.write(i * 4096, filled(i, 4096)))
    await settled()
    const layer = layerOf(group)
    layer.drainBegin()
    layer.drainBegin()
    await layer.read(0, new Uint8Array(512))
    layer.drainEnd()
    await layer.read(0, new Uint8Array(512))
    layer.drainEnd()
    const held = watch({ held: layer.read(0, new Uint8Array(512)) })
    await settled()
    expect(held).toEqual([])
    await clock.advance(1e9)
    await Promise.all(requests)
    expect(held).toEqual(['held'])
  })

  test('a node that closes lets go of its group', async () => {
    const { clock, group } = newGroup({ iopsTotal: 1 })
    const layer = layerOf(group)
    const reads = [layer.read(0, new Uint8Array(1)), layer.read(0, new Uint8Array(1)), layer.read(0, new Uint8Array(1))]
    await settled()
    expect(clock.timers).toBe(1)
    await layer.close()
    await Promise.all(reads)
    expect(clock.timers).toBe(0)
  })
})

/** A layer on its own, over a file that answers at once. */
function layerOf(
  group: ThrottleGroup,
  groupOf: (id: string | undefined) => ThrottleGroup = () => group,
): ThrottleLayer {
  const file = { length: 4096, info: { clusterSize: 65536, dirty: false }, read: async () => {} }
  return new ThrottleLayer(file as unknown as Child, {}, ({ throttleGroup }) => groupOf(throttleGroup))
}

describe('in a graph', () => {
  // The clock stands still: what waits for it would wait for ever.
  const slow = () => newGroup({ iopsTotal: 1 }).group

  test('a drained section takes no time', async () => {
    const disk = await openThrottled(new MemoryStore(65536), slow())
    const requests = Array.from({ length: 20 }, (_, i) => disk.write(i * 512, filled(i, 512)))
    const end = await drainNode(disk.root)
    await Promise.all(requests)
    end()
    const more = watch({ more: disk.read(0, new Uint8Array(512)) })
    await settled()
    expect(more).toEqual([])
    await disk.close()
    expect(more).toEqual(['more'])
  })

  test('neither does closing one of two users', async () => {
    const group = slow()
    const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
    onTestFinished(() => graph.close())
    const disk = await graph.open(throttle({ group, file: memory(new MemoryStore(65536)) }))
    const other = graph.backend(disk.root, { permissions: { taken: 1, shared: 15 } })
    const reads = [1, 2, 3].map(() => other.read(0, new Uint8Array(512)))
    await other.close()
    await Promise.all(reads)
    const held = watch({ held: disk.read(0, new Uint8Array(512)) })
    await settled()
    expect(held).toEqual([])
    await disk.close()
  })

  test('a reopened node goes on in another group', async () => {
    const groups = new Map([
      ['slow', slow()],
      ['fast', new ThrottleGroup('fast')],
    ])
    const graph = createBlockGraph({ drivers: [createThrottleDriver({ groups })], implicitOpen: 'deny' })
    onTestFinished(() => graph.close())
    const store = await graph.open({ ...memory(new MemoryStore(4096)), nodeName: 'store' })
    const described = (group: string) =>
      new Map(Object.entries({ driver: 'throttle', 'node-name': 'node', file: 'store', 'throttle-group': group }))
    const disk = await graph.open(described('slow'))
    const read = disk.read(0, new Uint8Array(512)).then(() => disk.read(0, new Uint8Array(512)))
    await graph.reopen([{ node: disk.root, options: described('fast') }])
    await read
    for (let i = 0; i < 10; i++) await disk.read(0, new Uint8Array(512))
    await expect(graph.reopen([{ node: disk.root, options: described('none') }])).rejects.toThrow(
      "Throttle group 'none' does not exist",
    )
    expect(disk.root.filename).toContain('"throttle-group": "fast"')
    await store.close()
  })
})

describe('reopened', () => {
  const change = { readOnly: false, flags: {} as never }

  test('another group takes over when the change is made', async () => {
    const slow = newGroup({ iopsTotal: 1 }, 'slow')
    const fast = newGroup({}, 'fast')
    const layer = layerOf(slow.group, (id) => (id === 'fast' ? fast.group : slow.group))
    await layer.read(0, new Uint8Array(1))
    const held = watch({ held: layer.read(0, new Uint8Array(1)) })
    await settled()
    expect(held).toEqual([])
    layer.drainBegin()
    await settled()
    expect(held).toEqual(['held'])
    const undone = await layer.prepareReopen({ ...change, options: { throttleGroup: 'fast' } })
    await undone.abort()
    const prepared = await layer.prepareReopen({ ...change, options: { throttleGroup: 'fast' } })
    await prepared.commit()
    layer.drainEnd()
    for (let i = 0; i < 100; i++) await layer.read(0, new Uint8Array(1))
    expect(slow.clock.timers + fast.clock.timers).toBe(0)
  })

  test('without another group nothing changes', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const layer = layerOf(group)
    const mode = await layer.prepareReopen({ ...change, readOnly: true, options: undefined })
    await mode.commit()
    const same = await layer.prepareReopen({ ...change, options: {} })
    await same.commit()
    await layer.read(0, new Uint8Array(1))
    await layer.read(0, new Uint8Array(1))
    const held = watch({ held: layer.read(0, new Uint8Array(1)) })
    await settled()
    expect(held).toEqual([])
    await clock.advance(100)
    expect(held).toEqual(['held'])
  })

  test('a group that does not exist is refused', async () => {
    const layer = layerOf(new ThrottleGroup('g'), (id) => {
      if (id === 'x') throw new BlockError('EINVAL', 'no x')
      return new ThrottleGroup('g')
    })
    await expect(layer.prepareReopen({ ...change, options: { throttleGroup: 'x' } })).rejects.toThrow('no x')
  })
})

describe('options', () => {
  const groups = new Map([['g', new ThrottleGroup('g')]])
  const flat = (options: Record<string, string>) => {
    const graph = createBlockGraph({ drivers: [createThrottleDriver({ groups })], implicitOpen: 'deny' })
    onTestFinished(() => graph.close())
    return graph.open(new Map(Object.entries({ driver: 'throttle', ...options })))
  }
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{}, 'A block device must be specified for "file"'],
    [{ 'throttle-group': 'h' }, 'A block device must be specified for "file"'],
    [{ file: 'disk' }, 'Please specify a throttle group'],
    [{ file: 'disk', 'throttle-group': 'h' }, "Throttle group 'h' does not exist"],
    [{ file: 'disk', 'throttle-group': '' }, "Throttle group '' does not exist"],
    [{ file: 'disk', 'throttle-group': 'g', foo: '1' }, "Block format 'throttle' does not support the option 'foo'"],
  ]

  test.each(cases)('%o', async (options, message) => {
    const graph = createBlockGraph({ drivers: [createThrottleDriver({ groups })], implicitOpen: 'deny' })
    onTestFinished(() => graph.close())
    await graph.open({ ...memory(new MemoryStore(4096)), nodeName: 'disk' })
    const given = new Map(Object.entries({ driver: 'throttle', ...options }))
    await expect(graph.open(given)).rejects.toMatchObject({ code: 'EINVAL', message })
    if (options.file === undefined) await expect(flat(options)).rejects.toMatchObject({ message })
  })

  test.skipIf(withoutReference)('needs qemu-io: the reference says the same of each', () => {
    const theirs = cases.map(([{ file, ...options }]) => {
      const given = Object.entries({
        driver: 'throttle',
        ...options,
        ...(file === undefined ? {} : { 'file.driver': 'null-co' }),
      })
      const text = given.map(([name, value]) => `${name}=${value}`).join(',')
      return referenceComplaint('--object', 'throttle-group,id=g', '--image-opts', text, '-c', 'q')
    })
    expect(theirs).toEqual(cases.map(([, message]) => message))
  })

  test('a node is named with its group', async () => {
    const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
    onTestFinished(() => graph.close())
    const disk = await graph.open(throttle({ group: new ThrottleGroup('slow'), file: memory(new MemoryStore(4096)) }))
    expect(disk.root.filename).toBe(
      'json:{"throttle-group": "slow", "driver": "throttle", "file": {"driver": "memory"}}',
    )
    expect(disk.info).toEqual({})
    expect(layerOf(new ThrottleGroup('g')).info()).toEqual({ clusterSize: 65536 })
  })
})
