// What an image says about itself, in the reference's fields: what is absent, what filters hand on, and the chain below.
import { beforeEach, expect, test } from 'vitest'
import { BlockError, defineDriver, nodeSpec } from '../../src/driver.ts'
import { chainFacts, imageFacts, snapshotMembers } from '../../src/graph/image-facts.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filterOver } from '../helpers/filter.ts'
import { chain, type World, world } from '../helpers/world.ts'

let at: World
beforeEach(async () => {
  at = world()
  await chain(at)
  return () => at.graph.close()
})

test('an overlay, and the chain below it', async () => {
  const { root } = await at.graph.open('top', { readOnly: true })
  const own = {
    filename: 'top',
    format: 'toy',
    'virtual-size': 65536,
    'cluster-size': 4096,
    'dirty-flag': false,
    'backing-filename': 'mid',
    'backing-filename-format': 'toy',
    'full-backing-filename': 'mid',
  }
  expect(await imageFacts(root)).toEqual(own)
  const facts = await chainFacts(root)
  expect(facts).toMatchObject({ ...own, 'backing-image': { filename: 'mid', 'backing-image': { filename: 'base' } } })
  expect(facts['backing-image']?.['backing-image']).not.toHaveProperty('backing-image')
})

test('a filter says what its child says, and is a step of the chain', async () => {
  const { root } = await at.graph.open('base', { readOnly: true })
  const filter = (await at.graph.open(filterOver(root), { readOnly: true })).root
  const facts = await chainFacts(filter)
  expect(facts).toMatchObject({ format: 'filter', 'cluster-size': 4096, 'backing-image': { format: 'toy' } })
})

test('a driver that tells nothing', async () => {
  const { root } = await at.graph.open(memory(new MemoryStore(512)), { readOnly: true })
  const { filename, ...facts } = await imageFacts(root)
  expect([filename, facts]).toEqual(['json:{"driver": "memory"}', { format: 'memory', 'virtual-size': 512 }])
})

test('a driver that tells all; space on a host that will not say is left out', async () => {
  const snapshot = {
    id: '1',
    name: 's',
    vmStateBytes: 0,
    dateSeconds: 0,
    dateNanoseconds: 0,
    vmClockNanoseconds: 1_500_000_000,
    icount: 3n,
  }
  const specific = { type: 'rich', data: { compat: '1.1' } }
  const rich = (allocatedBytes: () => Promise<number>) =>
    nodeSpec(
      defineDriver<object>({
        formatName: 'rich',
        kind: 'protocol',
        options: {},
        open: async () => ({
          length: 512,
          read: async () => {},
          info: () => ({ encrypted: true, dirty: true, snapshots: [snapshot], specific }),
          allocatedBytes,
          close: async () => {},
        }),
      }),
      {},
    )
  const known = await at.graph.open(
    rich(async () => 7),
    { readOnly: true },
  )
  expect(await imageFacts(known.root)).toMatchObject({
    'actual-size': 7,
    encrypted: true,
    'dirty-flag': true,
    snapshots: [{ id: '1', name: 's', 'date-sec': 0, 'vm-clock-sec': 1, 'vm-clock-nsec': 500_000_000, icount: 3n }],
    'format-specific': specific,
  })
  const unknown = rich(() => Promise.reject(BlockError.fromErrno('EIO')))
  expect(await imageFacts((await at.graph.open(unknown, { readOnly: true })).root)).not.toHaveProperty('actual-size')
})

test('no folder, no full name', async () => {
  const store = new MemoryStore(at.files.get('top')!.bytes())
  const spec = nodeSpec(at.graph.drivers.find(({ formatName }) => formatName === 'toy')!, { file: memory(store) })
  const { root } = await at.graph.open(spec, { readOnly: true, noBacking: true, noIo: true })
  const facts = await imageFacts(root)
  expect(facts['backing-filename']).toBe('mid')
  expect(facts).not.toHaveProperty('full-backing-filename')
})

test('a snapshot as members', () => {
  const snapshot = {
    id: '1',
    name: 'näme',
    vmStateBytes: 0,
    dateSeconds: 7,
    dateNanoseconds: 5,
    vmClockNanoseconds: (3600 * 30 + 61) * 1e9 + 7_000_000,
    icount: 0n,
  }
  const members = {
    id: '1',
    name: 'näme',
    'vm-state-size': 0,
    'date-sec': 7,
    'date-nsec': 5,
    'vm-clock-sec': 108061,
    'vm-clock-nsec': 7000000,
  }
  expect(snapshotMembers(snapshot)).toEqual({ ...members, icount: 0n })
  expect(snapshotMembers({ ...snapshot, icount: undefined })).toEqual(members)
})
