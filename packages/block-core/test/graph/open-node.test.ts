// Opening by name, by options and by description: what is meant, and which error comes first (spec/block-layer.md, section 6).
import { beforeEach, expect, test } from 'vitest'
import { type AnyDriver, BlockError, type FlatOptions, type ParsedChild } from '../../src/driver.ts'
import { GraphCore } from '../../src/graph/graph-core.ts'
import { plainOpen } from '../../src/graph/new-image.ts'
import { openNode } from '../../src/graph/open-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { type CountedWorld, countedWorld } from '../helpers/counted.ts'
import { toy, toyDriver } from '../helpers/toy-format.ts'
import { chain, failure, world } from '../helpers/world.ts'

let at: CountedWorld
beforeEach(async () => {
  at = countedWorld()
  await at.graph.create('toy', 'image', { size: 65536 })
  await at.graph.create('toy', 'dir/other', { size: 65536 })
  at.files.set('plain', new MemoryStore(65536))
  return () => at.graph.close()
})

const flat = (options: Record<string, string | boolean | null>): FlatOptions => new Map(Object.entries(options))
const open = (image: string | FlatOptions, options = {}) => at.graph.open(image, { readOnly: true, ...options })
const drivers = async (image: string | FlatOptions, options = {}) => {
  const disk = await open(image, options)
  return [disk.root.driverName, ...[...disk.root.children.values()].map((child) => child.driverName)]
}

test('a name: the format is guessed, or given; a protocol’s name opens the file alone', async () => {
  expect(await drivers('image')).toEqual(['toy', 'file'])
  expect(await drivers('file:image')).toEqual(['toy', 'file'])
  expect(await drivers('image', { format: 'raw' })).toEqual(['raw', 'file'])
  expect(await drivers('image', { format: 'file' })).toEqual(['file'])
})

test('options: nested, dotted, with or without a driver', async () => {
  expect(await drivers(flat({ 'file.filename': 'image' }))).toEqual(['toy', 'file'])
  expect(await drivers(flat({ driver: 'toy', 'file.driver': 'file', 'file.filename': 'image' }))).toEqual([
    'toy',
    'file',
  ])
  expect(await drivers(flat({ driver: 'file', filename: 'image' }))).toEqual(['file'])
  expect(await drivers(flat({ driver: 'raw', 'file.driver': 'toy', 'file.file.filename': 'image' }))).toEqual([
    'raw',
    'toy',
  ])
})

test('json: names, and what is given beside them wins', async () => {
  expect(await drivers('json:{"driver":"toy","file":{"driver":"file","filename":"image"}}')).toEqual(['toy', 'file'])
  expect(await drivers('json:{"file.filename":"image"}')).toEqual(['toy', 'file'])
  expect(await drivers('json:{"driver":"toy","file.filename":"image"}', { format: 'raw' })).toEqual(['raw', 'file'])
  expect(await drivers('json:{"driver":null,"file.filename":"image"}')).toEqual(['toy', 'file'])
  expect(await failure(open('json:{'))).toMatch(/^Could not parse the JSON options: /)
  expect(await failure(open('json:[]'))).toBe('Invalid JSON object given')
})

test('a name inside options is taken literally', async () => {
  expect(await failure(open(flat({ 'file.filename': 'file:image' })))).toBe(
    "Could not open 'file:image': No such file or directory",
  )
})

test('a node that is open already, by its name', async () => {
  await open('image', { nodeName: 'one' })
  expect(await drivers(flat({ driver: 'raw', file: 'one' }))).toEqual(['raw', 'toy'])
  expect(await failure(open(flat({ driver: 'raw', file: 'two' })))).toBe("Cannot find device='two' nor node-name='two'")
  const text = 'Cannot reference an existing block device with additional options or a new filename'
  expect(await failure(open(flat({ driver: 'raw', file: 'one', 'file.filename': 'image' })))).toBe(text)
  expect(await failure(open('json:{"file":"one"}'))).toBe('no failure')
})

test.each<[string, string | Record<string, string>]>([
  ['Must specify either driver or file', {}],
  ['Must specify either driver or file', { 'read-only': 'on' }],
  ['Must specify either driver or file', 'json:{"driver":"raw","file.filename":null}'],
  ['Must specify either driver or file', 'json:{"driver":"raw","file":{"filename":5}}'],
  ["Unknown driver 'nope'", { driver: 'nope', 'read-only': 'maybe', 'file.filename': 'missing' }],
  ["Unknown driver ''", { driver: '' }],
  ["Unknown protocol 'nope'", 'nope:x'],
  ["The 'file' block driver requires a file name", ''],
  ["The 'file' block driver requires a file name", { driver: 'file', discard: 'foo' }],
  ['A block device must be specified for "file"', { driver: 'toy' }],
  ["Could not open 'missing': No such file or directory", 'missing'],
  [
    "Could not open 'missing': No such file or directory",
    { driver: 'raw', discard: 'foo', 'file.filename': 'missing' },
  ],
  ['Image is not in toy format', { driver: 'toy', 'file.filename': 'plain', bogus: '1' }],
  ["Block format 'toy' does not support the option 'bogus'", { driver: 'toy', 'file.filename': 'image', bogus: '1' }],
  [
    "Block protocol 'file' doesn't support the option 'bogus'",
    { driver: 'toy', 'file.filename': 'image', 'file.bogus': '1' },
  ],
  ["Parameter 'read-only' expects 'on' or 'off'", { driver: 'raw', 'read-only': 'maybe', 'file.filename': 'missing' }],
  ['Invalid discard option', { driver: 'raw', discard: 'foo', 'node-name': '1', 'file.filename': 'image' }],
  [
    'invalid parameter value: foo',
    { driver: 'raw', 'detect-zeroes': 'foo', 'node-name': '1', 'file.filename': 'image' },
  ],
  ["Invalid node-name: '1'", { driver: 'toy', 'node-name': '1', 'file.filename': 'plain' }],
])('%s', async (message, image) => {
  expect(await failure(open(typeof image === 'string' ? image : flat(image)))).toBe(message)
  expect([at.open, at.graph.nodes]).toEqual([[], []])
})

test('a name beside the option of that name is refused', async () => {
  const core = new GraphCore({ drivers: at.graph.drivers, implicitOpen: 'deny' })
  const request = { filename: 'image', flat: flat({ filename: 'x' }), inherited: plainOpen, overlays: [] }
  expect(await failure(openNode(core, request))).toBe("Can't specify 'file' and 'filename' options at the same time")
})

test('force-share is for reading only, and is told before a file that is missing', async () => {
  const text = 'force-share=on can only be used with read-only images'
  const missing = flat({ driver: 'raw', 'force-share': 'on', 'file.filename': 'missing' })
  expect(await failure(at.graph.open(missing))).toBe(text)
  expect(await failure(at.graph.open(toy(memory(new MemoryStore(512)), { common: { 'force-share': true } })))).toBe(
    text,
  )
})

test('who asks to write is refused where options say read-only', async () => {
  const readOnly = flat({ driver: 'toy', 'read-only': 'on', 'file.filename': 'image' })
  expect(await failure(at.graph.open(readOnly))).toBe('Block node is read-only')
  const file = flat({ driver: 'raw', 'file.filename': 'plain', 'file.read-only': 'on' })
  expect(await failure(at.graph.open(file))).toBe('Block node is read-only')
  expect([at.open, at.graph.nodes]).toEqual([[], []])
})

test('a description in code', async () => {
  const store = at.files.get('image')!
  const disk = await at.graph.open(toy(memory(store), { nodeName: 'mine', readOnly: true }))
  expect([disk.root.nodeName, disk.root.readOnly, disk.root.children.get('file')?.readOnly]).toEqual([
    'mine',
    true,
    true,
  ])
  const named = await at.graph.open(toy(memory(store), { readOnly: true }), { nodeName: 'other' })
  expect(named.root.nodeName).toBe('other')
  const unknown = toy(memory(store), { common: { bogus: 'x' } })
  expect(await failure(at.graph.open(unknown))).toBe("Block format 'toy' does not support the option 'bogus'")
})

test('an aborted open opens nothing, or closes what it had opened', async () => {
  const aborted = AbortSignal.abort(new Error('enough'))
  expect(await failure(open('image', { signal: aborted }))).toBe('enough')
  const control = new AbortController()
  const slow: AnyDriver = {
    ...toyDriver,
    formatName: 'slow',
    async open(context, options) {
      const layer = await toyDriver.open(context, options)
      control.abort(new Error('enough'))
      const second = {
        kind: 'parsed-child',
        options: flat({ driver: 'file', filename: 'image' }),
        reference: undefined,
      }
      await context.attach('second', 1, second as ParsedChild)
      return layer
    },
  }
  const other = countedWorld({ drivers: [slow] })
  await other.graph.create('toy', 'image', { size: 4096 })
  const opening = other.graph.open('image', { format: 'slow', readOnly: true, signal: control.signal })
  expect(await failure(opening)).toBe('enough')
  expect([other.open, other.graph.nodes]).toEqual([[], []])
})

test('an error keeps its code', async () => {
  const error = await open('missing').catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(BlockError)
  expect(error).toMatchObject({ code: 'ENOENT' })
})

test('a description may give each image of a chain its own backing file, or none', async () => {
  const here = world()
  await chain(here)
  const file = (name: string) => memory(here.files.get(name)!)
  const disk = await here.graph.open(toy(file('top'), { backing: toy(file('base'), { backing: null }) }))
  expect(disk.root.backing?.backingReference).toBeUndefined()
  expect(disk.root.backing?.backing).toBeUndefined()
  const alone = await here.graph.open(toy(file('mid'), { backing: null }), { readOnly: true })
  expect(alone.root.backing).toBeUndefined()
  await here.graph.close()
})
