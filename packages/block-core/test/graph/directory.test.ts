// The folder from which names in an image count: that of what stores it, or an error where it lies nowhere.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AnyDriver, BlockError, defineDriver, nodeSpec } from '../../src/driver.ts'
import { directoryOf, nameBeside } from '../../src/graph/directory.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { filterOver } from '../helpers/filter.ts'
import { type World, world } from '../helpers/world.ts'

let at: World
beforeEach(() => {
  at = world()
})
afterEach(() => at.graph.close())

const root = async (image: Parameters<World['graph']['open']>[0], format?: string) =>
  graphNode((await at.graph.open(image, { readOnly: true, noBacking: true, format })).root)

/** A protocol with a word of its own about its folder. */
const remote = (dirname: () => string) =>
  nodeSpec(
    defineDriver<object>({
      formatName: 'remote',
      kind: 'protocol',
      options: {},
      open: async () => ({ length: 4096, dirname, read: async () => {}, close: async () => {} }),
    }) as AnyDriver,
    {},
  )

test('an image lies where its storage lies, filters and formats looked through', async () => {
  for (const name of ['d/e/image', 'image', 'd/a:b']) at.files.set(name, new MemoryStore(4096))
  const folders = []
  for (const name of at.files.keys()) folders.push(directoryOf(await root(name, 'raw')))
  expect(folders).toEqual(['d/e/', '', 'd/'])
  expect(directoryOf(await root(filterOver(await root('d/e/image', 'raw'))))).toBe('d/e/')
})

test('names that stand on their own need no folder', async () => {
  const nowhere = await root(memory(new MemoryStore(4096)))
  const names = ['', '/b', 'file:b', 'json:{}']
  expect(names.map((name) => nameBeside(nowhere, name))).toEqual(names)
  const text = 'Cannot generate a base directory for memory nodes'
  expect(() => nameBeside(nowhere, 'b')).toThrow(new BlockError('EINVAL', text))
})

test('a driver may know better, or know that there is none', async () => {
  expect(nameBeside(await root(remote(() => 'remote://host/d/')), 'b')).toBe('remote://host/d/b')
  const none = remote(() => {
    throw new BlockError('EINVAL', 'Cannot generate a base directory for REMOTE nodes')
  })
  expect(() => nameBeside(graphNode(at.graph.nodes[0]!), 'b')).not.toThrow()
  expect(await root(none).then((node) => () => nameBeside(node, 'b'))).toThrow('for REMOTE nodes')
})
