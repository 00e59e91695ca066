/** Proves that a layout is asked of the image, through filters, and that a format without one says so by having none. */

import { expect, test } from 'vitest'
import { createBlockGraph, layoutOf } from '../../src/index.ts'
import { ChildRoles, defineDriver, type LayoutSupport, nodeSpec } from '../../src/driver.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'

const layout: LayoutSupport = {
  names: { map: 'the map' },
  async *describe() {
    yield { kind: 'header', offset: 0, bytes: 512 }
  },
}

const laidOut = defineDriver<object>({
  formatName: 'laid-out',
  kind: 'format',
  options: {},
  open: async () => ({ length: 512, layout, read: async (_at, into) => void into.fill(0), close: async () => {} }),
})

const passing = defineDriver<{ readonly file?: object }>({
  formatName: 'passing',
  kind: 'filter',
  options: { file: { name: 'file', type: 'node', help: 'below' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file as never)
    const read = (offset: number, into: Uint8Array): Promise<void> => file.read(offset, into)
    return { length: file.length, read, close: async () => {} }
  },
})

test('the image below a filter', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(nodeSpec(passing, { file: nodeSpec(laidOut, {}) }), { readOnly: true })
  expect(layoutOf(disk.root)).toBe(layout)
})

test('a node without a layout', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(memory(new MemoryStore(512)), { readOnly: true })
  expect(layoutOf(disk.root)).toBeUndefined()
})
