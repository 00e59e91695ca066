// Random reads and writes go on while filters come and go, nodes are replaced, put on top of each other and reopened: no
// write is lost, none is seen by another's reader, and the graph is in the end what it was. Delays are random turns; a
// seed brings a failure back (BLOCKLAYER_SEED).
import { expect, test } from 'vitest'
import { type BlockBackend, type BlockNode, createBlockGraph, drainedNode, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { expectSameBytes, filled } from '../../src/testing/patterns.ts'
import { type Random, random, randomPace, seeds } from '../../src/testing/seed.ts'
import { filterOver } from '../helpers/filter.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { reopenable, reopenScript } from '../helpers/reopenable.ts'

const { consistentRead, write, all } = Permissions
const lane = 4096
const lanes = 6
const rounds = 60

/** A user with a lane of its own writes it again and again, and reads back what it wrote last. */
async function use(disk: BlockBackend, index: number, choose: Random, isOver: () => boolean): Promise<Uint8Array> {
  const expected = new Uint8Array(lane)
  while (!isOver()) {
    const start = choose.below(lane - 1)
    const bytes = 1 + choose.below(lane - start - 1)
    const at = index * lane + start
    if (choose.chance(0.6)) {
      const value = 1 + choose.below(255)
      expected.fill(value, start, start + bytes)
      await disk.write(at, filled(value, bytes), { fua: choose.chance(0.1) })
    } else {
      const into = new Uint8Array(bytes)
      await disk.read(at, into)
      expectSameBytes(into, expected.subarray(start, start + bytes), `lane ${index} at ${start}`)
    }
    if (choose.chance(0.1)) await disk.flush()
    // Other events get their turn, so that changes and requests really mix.
    if (choose.chance(0.2)) await new Promise((resolve) => setImmediate(resolve))
  }
  return expected
}

test.each(seeds(1, 2, 3, 4))('no write is lost (seed %i)', async (seed) => {
  const choose = random(seed)
  const pace = randomPace(seed + 1)
  const stores = new Map<BlockNode, Recorder>()
  const script = reopenScript()
  const driver = reopenable(script)
  await using graph = createBlockGraph({ drivers: [driver], implicitOpen: 'deny' })
  for (const nodeName of ['spare', 'file']) {
    const recorder = new Recorder(lane * lanes)
    recorder.before = pace
    stores.set(await graph.addNode(record(recorder, { nodeName })), recorder)
  }
  let [spare, file] = [...stores.keys()] as [BlockNode, BlockNode]
  const image = await graph.addNode({ driver, options: { file }, nodeName: 'image' })
  const disks = Array.from({ length: lanes }, () =>
    graph.backend(image, { permissions: { taken: consistentRead | write, shared: all } }),
  )
  let over = false
  const users = disks.map((disk, index) => use(disk, index, random(seed * 100 + index), () => over))
  const filters: BlockNode[] = []
  let made = 0
  const insert = async (below: BlockNode) => {
    filters.push(await graph.insertFilter(below, filterOver(below, { nodeName: `filter${made++}` })))
  }
  const changes: Record<string, () => Promise<unknown>> = {
    above: () => insert(disks[0]!.root),
    below: () => insert(file),
    remove: async () => {
      const [filter] = filters.splice(choose.below(filters.length), 1)
      if (filter !== undefined) await graph.removeFilter(filter)
    },
    reopen: () => graph.reopen([{ node: 'image', options: new Map([['speed', choose.below(9)]]) }]),
    replace: async () => {
      // Another filter over the same node takes the place of one that is in use.
      const old = filters.at(-1)
      if (old === undefined) return
      const below = [...old.children.values()][0]!
      const other = await graph.addNode(filterOver(below, { nodeName: `filter${made++}` }))
      await graph.replaceNode(old, other)
      filters.splice(filters.indexOf(old), 1, other)
      await graph.removeNode(old.nodeName)
    },
    // A copy is complete only if nothing is written between its last byte and the swap.
    swap: () =>
      drainedNode(file, async () => {
        await pace()
        stores.get(spare)!.store.write(0, stores.get(file)!.store.bytes())
        await graph.replaceNode(file, spare)
        ;[spare, file] = [file, spare]
        stores.get(spare)!.store.zero(0, lane * lanes)
      }),
    all: () => graph.drainAll(async () => expect(graphNode(file).tracked.size).toBe(0)),
    newcomer: async () => {
      await using reader = graph.backend(disks[0]!.root, { permissions: { taken: consistentRead, shared: all } })
      await reader.read(0, new Uint8Array(512))
    },
  }
  for (let round = 0; round < rounds; round++) {
    await changes[choose.pick(Object.keys(changes))]!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  // Two at once: each waits for the other's section to have gone its way.
  await Promise.all([changes.above!(), changes.reopen!(), changes.below!()])
  while (filters.length > 0) await changes.remove!()
  over = true
  const expected = new Uint8Array((await Promise.all(users)).flatMap((content) => [...content]))
  expectSameBytes(stores.get(file)!.store.bytes(), expected, 'the store')
  expect(graph.nodes.map((node) => node.nodeName)).toEqual(['image', 'file', 'spare'])
  expect(disks.map((disk) => disk.root)).toEqual(disks.map(() => image))
  expect([...graph.nodes].map((node) => graphNode(node).drains.size)).toEqual([0, 0, 0])
})
