/** Proves that snapshot operations reach the node that keeps them, alone on the node, and durably. */

import { expect, test } from 'vitest'
import {
  applySnapshot,
  createSnapshot,
  deleteSnapshot,
  showSnapshot,
  snapshotsOf,
} from '../../src/backend/snapshots.ts'
import { defineDriver, nodeSpec } from '../../src/driver/block-driver.ts'
import { ChildRoles } from '../../src/driver/child.ts'
import { createBlockGraph } from '../../src/graph/block-graph.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'

const calls: string[] = []

const kept = {
  id: '1',
  name: 'a',
  vmStateBytes: 0,
  dateSeconds: 1,
  dateNanoseconds: 0,
  vmClockNanoseconds: 0,
  icount: 0n,
}

/** Keeps snapshots by name only. */
const keeper = defineDriver<{ file: ReturnType<typeof memory> }>({
  formatName: 'keeper',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'where' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    return {
      length: file.length,
      read: (offset, into) => file.read(offset, into),
      writer: { write: (offset, data) => file.write(offset, data) },
      flushToOs: async () => void calls.push('flush'),
      info: () => ({ snapshots: [kept] }),
      snapshots: {
        create: async ({ name, icount, dateSeconds }) => void calls.push(`create ${name} ${icount} ${dateSeconds > 0}`),
        apply: async (wanted) => void calls.push(`apply ${wanted}`),
        delete: async (wanted) => void calls.push(`delete ${wanted}`),
        show: async (wanted) => void calls.push(`show ${wanted}`),
        readVmState: (offset, into) => file.read(offset, into),
        writeVmState: (offset, data) => file.write(offset, data),
      },
      close: async () => undefined,
    }
  },
})

test('a change is flushed; showing is none', async () => {
  await using graph = createBlockGraph({ drivers: [keeper], implicitOpen: 'deny' })
  const disk = await graph.open(nodeSpec(keeper, { file: memory(new MemoryStore(1024)) }))
  calls.length = 0
  await createSnapshot(disk, { name: 'a' })
  await applySnapshot(disk, 'a')
  await deleteSnapshot(disk, 'a')
  await showSnapshot(disk, 'b')
  expect(calls).toEqual(['create a 0 true', 'flush', 'apply a', 'flush', 'delete a', 'flush', 'show b'])
})

test('a node without them, and one that is read-only', async () => {
  await using graph = createBlockGraph({ drivers: [keeper], implicitOpen: 'deny' })
  const plain = await graph.open(memory(new MemoryStore(1024)))
  await expect(showSnapshot(plain, 'a')).rejects.toMatchObject({ code: 'ENOTSUP' })
  expect(snapshotsOf(plain)).toEqual([])
  await expect(createSnapshot(plain, { name: 'a' })).rejects.toMatchObject({ code: 'ENOTSUP' })
  const disk = await graph.open(nodeSpec(keeper, { file: memory(new MemoryStore(1024)) }), { readOnly: true })
  expect(snapshotsOf(disk)).toEqual([kept])
  await expect(deleteSnapshot(disk, 'a')).rejects.toMatchObject({ code: 'EACCES' })
})
