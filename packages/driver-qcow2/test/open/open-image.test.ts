/** Proves the order of checks at open, what a writable open changes, and what is refused. */

import { changeDirtyBitmap } from '@blocklayer/block-core'
import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { viewOf } from '../../src/format/bytes.ts'
import { newImage, openDisk } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const MiB = 1024 * 1024

async function changed(change: (view: DataView, content: Uint8Array) => void, options = {}): Promise<MemoryChild> {
  const content = await newImage(MiB, options)
  change(viewOf(content), content)
  return new MemoryChild(content)
}

/** Moves the extension area up and puts one extension there. */
function putExtension(view: DataView, type: number, data: readonly number[]): void {
  view.setUint32(112, type)
  view.setUint32(116, data.length)
  for (let at = 0; at < 400; at++) view.setUint8(120 + at, data[at] ?? 0)
}

test('the first failing check decides', async () => {
  const file = await changed((view) => {
    view.setUint32(36, 0)
    view.setUint32(72 + 4, 1 << 4)
    view.setUint32(56, 0)
  })
  expect(await failureOf(() => openOn(file))).toBe('EINVAL Image does not contain a reference count table')
})

test.each([
  { what: 'an unknown bit', bit: 7, message: 'Unsupported qcow2 feature(s): Unknown incompatible feature: 80' },
])('$what is refused by name', async ({ bit, message }) => {
  const file = await changed((view) => {
    view.setUint32(76, 1 << bit)
    view.setUint32(36, 2)
  })
  expect(await failureOf(() => openOn(file, { readOnly: true }))).toBe(`ENOTSUP ${message}`)
})

test('tables that cannot be read', async () => {
  const file = await changed(() => undefined)
  file.fail = ({ kind, offset }) => (kind === 'read' && offset === 0x30000 ? 'EIO' : undefined)
  expect(await failureOf(() => openOn(file))).toBe('EIO Could not read L1 table: Input/output error')
})

test('options that the image cannot have', async () => {
  const file = await changed(() => undefined)
  const options = { dataFile: { kind: 'parsed-child', options: new Map(), reference: 'x' } } as const
  expect(await failureOf(() => openOn(file, { options }))).toBe(
    "EINVAL 'data-file' can only be set for images with an external data file",
  )
  await openOn(file, { options, noIo: true })
})

test('the backing file is asked for as it is recorded', async () => {
  const content = await newImage(MiB, {}, { filename: 'base.img', format: 'raw' })
  expect((await openOn(new MemoryChild(content))).reference()).toEqual({ filename: 'base.img', format: 'raw' })
  expect((await openOn(await changed(() => undefined))).reference()).toBeUndefined()
})

test('autoclear bits without a meaning go at a writable open, and only then', async () => {
  const file = await changed((view) => view.setUint32(92, 0x80))
  await openOn(file, { readOnly: true })
  expect(file.log.filter(({ kind }) => kind === 'write')).toEqual([])
  const { image } = await openOn(file, { check: true })
  expect(image.header.header.autoclearFeatures).toEqual({ high: 0, low: 0 })
  expect(viewOf(file.content).getUint32(92)).toBe(0)
  file.fail = ({ kind }) => (kind === 'write' ? 'ENOSPC' : undefined)
  await file.read(0, new Uint8Array(1))
  const again = await changed((view) => view.setUint32(92, 0x80))
  again.fail = file.fail
  expect(await failureOf(() => openOn(again))).toBe('ENOSPC Could not update qcow2 header: No space left on device')
})

test('the bitmaps bit without bitmaps goes too: the reference would take every write for an overlap', async () => {
  const file = await changed((view) => view.setUint32(92, 1))
  const { image } = await openOn(file)
  await image.writer.write(0, new Uint8Array(512).fill(1))
  expect(image.header.header.autoclearFeatures.low).toBe(0)
})

const bitmaps = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 5, 0, 0]

/** One bitmap, "b0". */
const bitmapDirectory = Uint8Array.from([
  0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 16, 0, 2, 0, 0, 0, 0, 98, 48, 0, 0, 0, 0, 0, 0,
])

test('persistent bitmaps are in use as long as the image can be written', async () => {
  const file = await changed((view) => {
    putExtension(view, 0x23852875, bitmaps)
    view.setUint32(92, 1)
  })
  await file.write(0x50000, bitmapDirectory)
  await file.write(0x40000, new Uint8Array(8))
  const { image } = await openOn(file, { readOnly: true })
  expect(image.state.bitmaps.map(({ granularityBits, flags }) => [granularityBits, flags])).toEqual([[16, 2]])
  const writable = await openOn(file)
  expect(writable.image.state.bitmaps.map(({ flags }) => flags)).toEqual([3])
  expect(writable.image.regions.test('bitmap-directory')?.(0x50000, 0x50001)).toBe(true)
  expect(writable.image.regions.test('bitmap-directory')?.(0x50020, 0x50021)).toBe(false)
})

test('stale bitmaps are warned about, and gone after a writable open', async () => {
  const file = await changed((view) => putExtension(view, 0x23852875, bitmaps))
  const { lines, image } = await openOn(file)
  expect(lines).toEqual([
    'warning: a program lacking bitmap support modified this file, so all bitmaps are now considered inconsistent',
    "Some clusters may be leaked, run 'qemu-img check -r' on the image file to fix.",
  ])
  expect(image.header.extensions.bitmaps).toBeUndefined()
  expect((await openOn(file)).lines).toEqual([])
})

test('an image whose backing file cannot be opened keeps its bitmaps', async () => {
  const store = new MemoryStore(await newImage(MiB))
  const opened = await openDisk(store)
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity: 65536, persistent: true })
  await opened.close()
  const file = new MemoryChild(store.bytes())
  const missing = {
    get backing(): Child {
      throw BlockError.fromErrno('ENOENT')
    },
  }
  expect(await failureOf(() => openOn(file, missing))).toBe('ENOENT No such file or directory')
  expect(file.content).toEqual(store.bytes())
})

// The name stands elsewhere than where we would put it: the header's first rewrite moves it.
test('another layout of the header is given up without losing the backing file for an instant', async () => {
  const name = 'n'.repeat(700)
  const content = await newImage(MiB, {}, { filename: name, format: 'raw' })
  const view = viewOf(content)
  const place = view.getUint32(12)
  content.copyWithin(place + 1000, place, place + 700).fill(0, place, place + 1000)
  view.setUint32(12, place + 1000)
  view.setUint32(92, 1 << 7)
  const store = new PowerLossStore(content)
  await (await openDisk(store, { backing: new MemoryStore(await newImage(MiB)) })).close()
  let states = 0
  for (const { name: state, store: cut } of store.crashStates({ tear: 512 })) {
    const { reference } = await openOn(new MemoryChild(cut.bytes()), { readOnly: true })
    expect({ state, ...reference() }).toEqual({ state, filename: name, format: 'raw' })
    states++
  }
  expect(states).toBeGreaterThan(4)
})
