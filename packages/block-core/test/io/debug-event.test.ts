// Events reach the node they are meant for and no other; breakpoints find the listener from above.
import { expect, test } from 'vitest'
import type { ChildSpec } from '../../src/driver.ts'
import { type BlkdebugEvent, ChildRoles, defineDriver, nodeSpec } from '../../src/driver.ts'
import { createBlockGraph, debugListenerOf } from '../../src/index.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { toyDriver } from '../helpers/toy-format.ts'

const heard: string[] = []

const listener = defineDriver<{ image: ChildSpec }, never>({
  formatName: 'listener',
  kind: 'filter',
  options: { image: { name: 'image', type: 'node', help: 'the node below' } },
  async open(context, options) {
    const image = await context.attach('image', ChildRoles.filtered | ChildRoles.primary, options.image)
    return {
      get length() {
        return image.length
      },
      read: (offset, into) => image.read(offset, into),
      writer: { write: (offset, data) => image.write(offset, data), truncate: (length) => image.truncate(length) },
      debug: {
        event: async (event: BlkdebugEvent) => void heard.push(event),
        setBreakpoint: () => {},
        removeBreakpoint: () => {},
        resume: () => {},
        isSuspended: () => false,
        untilSuspended: async () => {},
      },
      close: async () => {},
    }
  },
})

test('a write through a format announces its own steps once, and the generic ones of the node below', async () => {
  const text = new TextEncoder().encode('{"toy":true,"size":8192,"allocated":[]}')
  const store = new MemoryStore(8192)
  store.write(0, text)
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(nodeSpec(toyDriver, { file: nodeSpec(listener, { image: memory(store) }) }))
  heard.length = 0
  await disk.write(0, new Uint8Array(4096).fill(1))
  expect(heard).toEqual(['write_aio', 'pwritev', 'pwritev_done'])
  expect(debugListenerOf(disk.root)).toBeDefined()
})
