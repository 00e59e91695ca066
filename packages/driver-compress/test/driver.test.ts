/** Proves over what compress opens, and in which words it refuses the rest. */

import { createBlockGraph, reopenReadOnly } from '@blocklayer/block-core'
import { MemoryStore, memory, memoryDriver } from '@blocklayer/block-core/testing'
import { expect, onTestFinished, test } from 'vitest'
import { compress, compressDriver } from '../src/index.ts'
import { ToyDisk, toy, reference, withoutReference } from './support.ts'

function newGraph() {
  const graph = createBlockGraph({ drivers: [memoryDriver, compressDriver], implicitOpen: 'deny' })
  onTestFinished(() => graph.close())
  return graph
}

test('a format that cannot compress is refused by name', async () => {
  const message = 'Compression is not supported for underlying format: memory'
  const disk = memory(new MemoryStore(4096))
  await expect(newGraph().open(compress({ file: disk }))).rejects.toMatchObject({ code: 'ENOTSUP', message })
  await expect(newGraph().open(compress({ file: disk }), { readOnly: true })).rejects.toMatchObject({ message })
})

test('compressing twice is refused, too', async () => {
  const twice = compress({ file: compress({ file: toy(new ToyDisk(4096)) }) })
  const message = 'Compression is not supported for underlying format: compress'
  await expect(newGraph().open(twice)).rejects.toMatchObject({ message })
})

test('a file is needed, and nothing else is taken', async () => {
  const graph = newGraph()
  const flat = (options: Record<string, string>) =>
    graph.open(new Map(Object.entries({ driver: 'compress', ...options })))
  await expect(flat({})).rejects.toMatchObject({ message: 'A block device must be specified for "file"' })
  await graph.open({ ...toy(new ToyDisk(4096)), nodeName: 'disk' })
  await expect(flat({ file: 'disk', level: '9' })).rejects.toMatchObject({
    message: "Block format 'compress' does not support the option 'level'",
  })
})

// Its last cluster could only be written together with what lies behind the end.
test('a disk of broken clusters can be read, not written', async () => {
  const disk = new ToyDisk(4096 + 512)
  await expect(newGraph().open(compress({ file: toy(disk) }))).rejects.toMatchObject({
    message: "Cannot get 'write' permission without 'resize': Image size is not a multiple of request alignment",
  })
  const backend = await newGraph().open(compress({ file: toy(disk) }), { readOnly: true })
  await backend.read(4096, new Uint8Array(512))
})

// As in the reference.
test('a node keeps its mode', async () => {
  const reader = await newGraph().open(compress({ file: toy(new ToyDisk(8192)) }), { readOnly: true })
  await expect(reopenReadOnly(reader.root, false)).rejects.toThrow(
    `Block format 'compress' used by node '${reader.root.nodeName}' does not support reopening files`,
  )
})

test.skipIf(withoutReference)('needs qemu-io: the reference refuses in the same words', () => {
  const complaint = (options: string) => reference('qemu-io', '--image-opts', options, '-c', 'q').trim()
  expect(complaint('driver=compress,file.driver=null-co')).toBe(
    "qemu-io: can't open: Compression is not supported for underlying format: null-co",
  )
  expect(complaint('driver=compress')).toBe('qemu-io: can\'t open: A block device must be specified for "file"')
})
