/** Proves that machine state finds the node that keeps it, through nodes that do not, and is durable when it must be. */

import { expect, test } from 'vitest'
import { defineDriver, nodeSpec } from '../../src/driver/block-driver.ts'
import { ChildRoles } from '../../src/driver/child.ts'
import { createBlockGraph } from '../../src/graph/block-graph.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { plainDriver } from '../helpers/world.ts'

const calls: string[] = []

const keeper = defineDriver<{ file: ReturnType<typeof memory> }>({
  formatName: 'keeper',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'where' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    const refuse = () => Promise.reject(new Error('no snapshots'))
    return {
      length: file.length,
      read: (offset, into) => file.read(offset, into),
      writer: { write: (offset, data) => file.write(offset, data) },
      flushToOs: async () => void calls.push('flush'),
      info: () => ({ vmStateOffset: 4096 }),
      snapshots: {
        create: refuse,
        apply: refuse,
        delete: refuse,
        show: refuse,
        readVmState: async (offset, into) => void calls.push(`read ${offset}+${into.length}`),
        writeVmState: async (offset, data) => void calls.push(`write ${offset}+${data.length}`),
      },
      close: async () => undefined,
    }
  },
})

const image = () => nodeSpec(keeper, { file: memory(new MemoryStore(1024)) })

test('state is read and written through a node that keeps none', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(nodeSpec(plainDriver, { file: image() } as never))
  calls.length = 0
  await disk.writeVmState(512, new Uint8Array(1024))
  await disk.readVmState(0, new Uint8Array(512))
  expect(calls).toEqual(['write 512+1024', 'read 0+512'])
  disk.writeThrough = true
  await disk.writeVmState(0, new Uint8Array(512))
  expect(calls.slice(2)).toEqual(['write 0+512', 'flush'])
})

test('without a keeper, or without the permission to write', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const plain = await graph.open(nodeSpec(plainDriver, { file: memory(new MemoryStore(1024)) } as never))
  await expect(plain.readVmState(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'ENOTSUP' })
  const reader = await graph.open(image(), { readOnly: true })
  await expect(reader.writeVmState(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'EPERM' })
})

test('where state begins shows through a filter', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(nodeSpec(throughFilter, { file: image() }))
  expect(disk.info.vmStateOffset).toBe(4096)
})

const throughFilter = defineDriver<{ file: ReturnType<typeof image> }>({
  formatName: 'through',
  kind: 'filter',
  options: { file: { name: 'file', type: 'node', help: 'what' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return { length: file.length, read: (offset, into) => file.read(offset, into), close: async () => undefined }
  },
})
