// The name a node is known by: plain where that reopens the same tree, json: in hash order otherwise.
import { beforeEach, expect, test } from 'vitest'
import { type AnyDriver, ChildRoles, type ChildSpec, defineDriver, nodeSpec } from '../../src/driver.ts'
import { exactFilename, nodeFilename, storageIdentity } from '../../src/graph/refresh-filename.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filterOver } from '../helpers/filter.ts'
import { toy, toyDriver } from '../helpers/toy-format.ts'
import { type World, world } from '../helpers/world.ts'

const counter = defineDriver<{ size?: number; speed?: number; rule?: unknown }, never>({
  formatName: 'counter',
  protocolName: 'counter',
  kind: 'protocol',
  options: {
    size: { name: 'size', type: 'size', help: 'x', strong: true },
    speed: { name: 'speed', type: 'number', help: 'x' },
    rule: { name: 'inject-error', type: 'dict-list', help: 'x', strong: true },
  },
  open: async () => ({ length: 4096, read: async () => {}, close: async () => {} }),
})

let at: World
beforeEach(async () => {
  at = world({ drivers: [counter as AnyDriver] })
  await at.graph.create('toy', 'base', { size: 4096 })
  await at.graph.create('toy', 'top', { size: 4096, backing: { filename: 'base', format: 'toy' } })
  return () => at.graph.close()
})

const named = async (image: string | Record<string, string | number>, options = {}) => {
  const operand = typeof image === 'string' ? image : new Map(Object.entries(image))
  return (await at.graph.open(operand, { readOnly: true, ...options })).root.filename
}

test.each<[string | Record<string, string | number>, string]>([
  ['top', 'top'],
  ['file:top', 'top'],
  ['json:{"driver":"toy","file":{"driver":"file","filename":"top"}}', 'top'],
  [{ driver: 'file', filename: 'top' }, 'top'],
  [{ driver: 'toy', 'file.filename': 'top', 'cache.direct': 'on', 'node-name': 'n', discard: 'unmap' }, 'top'],
  // A format on a format, a strong option, another backing file than the header’s: no plain name reopens that.
  [
    { driver: 'raw', 'file.driver': 'toy', 'file.file.filename': 'base' },
    'json:{"driver": "raw", "file": {"driver": "toy", "file": {"driver": "file", "filename": "base"}}}',
  ],
  [
    { driver: 'toy', colour: 'red', 'file.filename': 'base' },
    'json:{"colour": "red", "driver": "toy", "file": {"driver": "file", "filename": "base"}}',
  ],
  [{ driver: 'toy', 'file.filename': 'top', 'backing.driver': 'raw', 'backing.file.filename': 'base' }, 'top'],
  [
    { driver: 'toy', 'file.filename': 'top', 'backing.file.filename': './base' },
    'json:{"backing": {"driver": "toy", "file": {"driver": "file", "filename": "./base"}}, "driver": "toy", "file": {"driver": "file", "filename": "top"}}',
  ],
  [
    { driver: 'toy', 'file.filename': 'top', backing: '' },
    'json:{"backing": null, "driver": "toy", "file": {"driver": "file", "filename": "top"}}',
  ],
  // Values keep their type, lists stay dotted, weak options are left out.
  [{ driver: 'counter', size: '4k' }, 'json:{"driver": "counter", "size": "4k"}'],
  [{ driver: 'counter', size: 4096, speed: 3 }, 'json:{"driver": "counter", "size": 4096}'],
  [
    { driver: 'counter', 'inject-error.0.event': 'l2_load' },
    'json:{"driver": "counter", "inject-error.0.event": "l2_load"}',
  ],
])('%o is %s', async (image, name) => {
  expect(await named(image)).toBe(name)
})

test('only metadata is looked at: another backing file does not count', async () => {
  expect(await named('top', { noIo: true, noBacking: true })).toBe('top')
})

test('filters have no plain name unless their driver knows one', async () => {
  const disk = await at.graph.open('base', { readOnly: true })
  const filter = await at.graph.open(filterOver(disk.root), { readOnly: true })
  expect(filter.root.filename).toBe(
    'json:{"driver": "filter", "file": {"driver": "toy", "file": {"driver": "file", "filename": "base"}}}',
  )
  const knowing = {
    ...(counter as AnyDriver),
    open: async () => ({ length: 0, read: async () => {}, close: async () => {}, exactFilename: () => 'counter:1' }),
  }
  expect((await at.graph.open(nodeSpec(knowing, {}), { readOnly: true })).root.filename).toBe('counter:1')
})

// The orders are the reference's (event and errno share a bucket): JSON and option strings differ by one copy of the table.
test.each<[string, string | Record<string, string>, string]>([
  [
    'option string',
    { 'inject-error.0.event': 'a', 'inject-error.0.errno': '5', 'inject-error.1.event': 'b' },
    '0.event 0.errno 1.event',
  ],
  [
    'json:',
    'json:{"driver":"counter","inject-error":[{"event":"a","errno":5},{"event":"b"}]}',
    '1.event 0.errno 0.event',
  ],
  ['keys of one bucket, as written', { 'inject-error.1.event': 'b', 'inject-error.0.event': 'a' }, '1.event 0.event'],
])('equal buckets: %s', async (_, image, order) => {
  const given = typeof image === 'string' ? image : { driver: 'counter', ...image }
  const keys = [...(await named(given)).matchAll(/inject-error\.([^"]+)/g)].map(([, key]) => key)
  expect(keys.join(' ')).toBe(order)
})

test('children that form a list are listed', async () => {
  const many = defineDriver<{ files: ChildSpec[] }>({
    formatName: 'many',
    kind: 'format',
    options: { files: { name: 'files', type: 'node', help: 'x' } },
    async open(context, { files }) {
      for (const [i, file] of files.entries()) await context.attach(`files.${i}`, ChildRoles.data, file)
      return { length: 4096, read: async () => {}, close: async () => {} }
    },
  })
  const disk = await at.graph.open(nodeSpec(many, { files: [memory(new MemoryStore(1)), memory(new MemoryStore(2))] }))
  expect(disk.root.filename).toBe('json:{"driver": "many", "files": [{"driver": "memory"}, {"driver": "memory"}]}')
})

test('a long name is cut where the reference cuts it', async () => {
  const long = await named({ driver: 'counter', size: 4096, 'inject-error.0.event': 'x'.repeat(5000) })
  expect([long.length, long.endsWith('xxx...')]).toEqual([4095, true])
  const fits = await named({ driver: 'counter', 'inject-error.0.event': 'x'.repeat(4000) })
  expect(fits.endsWith('xxx"}')).toBe(true)
})

test('descriptions in code: strong options, lists by their indices', async () => {
  const disk = await at.graph.open(nodeSpec(counter, { size: 512, speed: 1, rule: [new Map([['a', 1n]])] }), {
    readOnly: true,
  })
  expect(nodeFilename(graphNode(disk.root))).toBe('json:{"driver": "counter", "size": 512, "inject-error.0.a": 1}')
  const coloured = nodeSpec(toyDriver, { file: memory(at.files.get('base')!), colour: 'red' })
  expect((await at.graph.open(coloured, { readOnly: true })).root.filename).toBe(
    'json:{"colour": "red", "driver": "toy", "file": {"driver": "memory"}}',
  )
})

test('a name that is not plain is asked for again when the chain has changed', async () => {
  const disk = await at.graph.open('top', { readOnly: true })
  const node = graphNode(disk.root)
  expect(exactFilename(node)).toBe('top')
  const other = graphNode((await at.graph.open(memory(new MemoryStore(4096)), { readOnly: true })).root)
  node.backingEdge!.move(other)
  expect(exactFilename(node)).toBeUndefined()
  node.backingEdge!.move(graphNode(at.graph.nodes.find(({ filename }) => filename === 'base')!))
})

test('identity: the same storage in all spellings, windows apart, memory not at all', async () => {
  const of = async (image: Parameters<typeof at.graph.open>[0]) => {
    const node = graphNode((await at.graph.open(image, { readOnly: true, backing: null })).root)
    return storageIdentity(node.primaryEdge?.node ?? node, (name) => name.replaceAll('./', ''))
  }
  expect([await of('top'), await of('./top'), await of('file:././top')]).toEqual(['top', 'top', 'top'])
  expect(await of(toy(memory(at.files.get('top')!)))).toBeUndefined()
  expect(await of(toy(filterOver(memory(at.files.get('top')!))))).toBeUndefined()
})
