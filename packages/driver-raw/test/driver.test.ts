/** Proves how raw is found and opened: its score, its options as text, its errors, and switching to writable. */

import { reopenReadOnly } from '@blocklayer/block-core'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { raw, rawDriver } from '../src/index.ts'
import { newGraph, openRaw } from './support.ts'

test('raw fits everything, but anything else fits better', () => {
  expect(rawDriver.probe?.(new Uint8Array(512), undefined)).toBe(1)
  expect(rawDriver).toMatchObject({ formatName: 'raw', kind: 'format' })
})

test('a raw image claims nothing but its length', () => {
  expect(rawDriver.claims?.(new Uint8Array(512), 700)).toMatchObject({ virtualSize: 700n, names: [], tables: [] })
})

test('a file is needed', async () => {
  await expect(newGraph().open(new Map([['driver', 'raw']]))).rejects.toMatchObject({
    message: 'A block device must be specified for "file"',
  })
})

test('a window must fit the file', async () => {
  await expect(openRaw(new MemoryStore(1024), { offset: 2048 })).rejects.toMatchObject({
    message: 'Offset (2048) cannot be greater than size of the containing file (1024)',
  })
})

test('a node may become writable', async () => {
  const store = new MemoryStore(1024)
  const graph = newGraph()
  const disk = await graph.open(raw({ file: memory(store) }), { readOnly: true })
  await expect(disk.write(0, Uint8Array.of(1))).rejects.toMatchObject({ code: 'EPERM' })
  await reopenReadOnly(disk.root, false)
  const writer = graph.backend(disk.root, { permissions: { taken: 3, shared: 15 } })
  await writer.write(0, Uint8Array.of(1))
  await writer.close()
  expect(store.bytes()[0]).toBe(1)
})
