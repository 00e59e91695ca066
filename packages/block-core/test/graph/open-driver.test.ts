// A driver's open, and what is left when it fails at any point: nothing.
import { beforeEach, expect, test } from 'vitest'
import { type AnyDriver, BlockError, type BlockLayer, ChildRoles, type FlatOptions } from '../../src/driver.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { type CountedWorld, countedWorld } from '../helpers/counted.ts'
import { toyDriver } from '../helpers/toy-format.ts'
import { failure } from '../helpers/world.ts'

let at: CountedWorld
beforeEach(async () => {
  at = countedWorld({
    drivers: [variant('broken', breaking), variant('fileless', fileless), variant('strict', strict)],
  })
  await at.graph.create('toy', 'image', { size: 65536 })
  at.files.set('plain', new MemoryStore(65536))
  return () => at.graph.close()
})

function variant(formatName: string, open: AnyDriver['open']): AnyDriver {
  return { ...toyDriver, formatName, probe: () => 0, open }
}

const breaking: AnyDriver['open'] = async (context, options) => {
  await toyDriver.open(context, options)
  throw new BlockError('EIO', 'broken after all')
}

const fileless: AnyDriver['open'] = async () => ({ length: 512, read: async () => {}, close: async () => {} })

/** Wants to be the only writer of its file, which it says only once it is open. */
const strict: AnyDriver['open'] = async (context, options): Promise<BlockLayer> => {
  const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
  return {
    length: file.length,
    read: (offset, into) => file.read(offset, into),
    childPermissions: (_name, { taken }) => ({ taken, shared: 0 }),
    close: async () => {},
  }
}

const flat = (options: Record<string, string>): FlatOptions => new Map(Object.entries(options))
const nothing = [[], []]
const left = () => [at.open, at.graph.nodes]

// The layer is open when its options turn out to be wrong: its file handle and its locks must go.
test('an option that nobody wanted closes what was opened', async () => {
  expect(await failure(at.graph.open(flat({ driver: 'toy', 'file.filename': 'image', apple: '2', zebra: '1' })))).toBe(
    "Block format 'toy' does not support the option 'zebra'",
  )
  expect(left()).toEqual(nothing)
  expect(await failure(at.graph.open(flat({ 'file.filename': 'image', 'file.bogus': '1' })))).toBe(
    "Block protocol 'file' doesn't support the option 'bogus'",
  )
  expect(left()).toEqual(nothing)
})

test('a driver that fails late closes its children', async () => {
  expect(await failure(at.graph.open('image', { format: 'broken' }))).toBe('broken after all')
  expect(left()).toEqual(nothing)
})

test('a node name that is taken closes the file that was opened', async () => {
  await at.graph.open('image', { nodeName: 'mine' })
  const before = left()[0]!.length
  expect(await failure(at.graph.open('plain', { nodeName: 'mine' }))).toBe("Duplicate nodes with node-name='mine'")
  expect(await failure(at.graph.open('plain', { nodeName: '1' }))).toBe("Invalid node-name: '1'")
  expect(left()[0]).toHaveLength(before)
})

test('a file that the driver has no use for is closed', async () => {
  const disk = await at.graph.open('plain', { format: 'fileless', readOnly: true })
  expect(at.open).toEqual(['fileless'])
  await disk.close()
  expect(left()).toEqual(nothing)
})

test('what a layer wants of its children holds from the moment it is open', async () => {
  const one = await at.graph.open('plain', { format: 'strict', readOnly: true })
  expect(graphNode(one.root).edges.get('file')!.permissions.shared).toBe(0)
  const file = one.root.children.get('file')!
  expect(() => at.graph.backend(file, { permissions: { taken: 1, shared: 15 } })).toThrow('Permission conflict')
})

test('a name is reserved while its node opens, but the node cannot be used yet', async () => {
  const seen: string[] = []
  const peeking = variant('peeking', async (context, options) => {
    const reference = { kind: 'parsed-child', options: new Map(), reference: context.nodeName } as const
    seen.push(await failure(context.attach('self', 1, reference)))
    seen.push(await failure(other.graph.open('image', { nodeName: context.nodeName })))
    return toyDriver.open(context, options)
  })
  const other = countedWorld({ drivers: [peeking] })
  await other.graph.create('toy', 'image', { size: 4096 })
  await other.graph.open('image', { format: 'peeking', nodeName: 'me', readOnly: true })
  expect(seen).toEqual(["Cannot find device='me' nor node-name='me'", "Duplicate nodes with node-name='me'"])
})

test('a failure while a failed open is closed becomes a diagnostic', async () => {
  const noisy = variant('noisy', async (context, options) => {
    const layer = await toyDriver.open(context, options)
    return Object.create(layer, { close: { value: () => Promise.reject(new Error('no close')) } }) as BlockLayer
  })
  const other = countedWorld({ drivers: [noisy] })
  await other.graph.create('toy', 'image', { size: 4096 })
  const opening = other.graph.open(flat({ driver: 'noisy', 'file.filename': 'image', bogus: '1' }))
  expect(await failure(opening)).toBe("Block format 'noisy' does not support the option 'bogus'")
  expect(other.messages).toEqual([{ kind: 'error', text: 'no close' }])
  expect(other.graph.nodes).toEqual([])
})
