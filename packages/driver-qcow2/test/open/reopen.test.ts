/** Proves that an image changes between read-only and writable with nothing lost, and only where it may. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { reopenImage } from '../../src/open/reopen.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const MiB = 1024 * 1024

test('read-only: everything cached is written, the dirty mark goes', async () => {
  const file = new MemoryChild(await newImage(MiB, { lazyRefcounts: true }))
  const { image } = await openOn(file)
  await image.writer.write(0, filled(1, 65536))
  await reopenImage(image, { readOnly: true })
  expect([image.state.readOnly, image.caches.l2Tables.isDirty, image.header.isDirty]).toEqual([true, false, false])
  file.log.length = 0
  await reopenImage(image, { readOnly: true })
  expect(file.log).toEqual([])
})

test('writable: repaired first', async () => {
  const file = new MemoryChild(await newImage(MiB, { lazyRefcounts: true }))
  const crashed = await openOn(file)
  await crashed.image.writer.write(0, filled(1, 65536))
  await crashed.image.caches.flush()
  const { image, lines } = await openOn(new MemoryChild(file.content), { readOnly: true })
  await image.reader.read(0, new Uint8Array(512))
  await reopenImage(image, { readOnly: false })
  expect([lines.includes('Rebuilding refcount structure'), image.state.readOnly, image.header.isDirty]).toEqual([
    true,
    false,
    false,
  ])
  await image.writer.write(65536, filled(2, 65536))
  const into = new Uint8Array(65536)
  await image.reader.read(0, into)
  expect(into[0]).toBe(1)
})

test('a corrupt image stays read-only', async () => {
  const file = new MemoryChild(await newImage(MiB))
  const { image } = await openOn(file, { readOnly: true })
  await image.header.markCorrupt()
  expect(await failureOf(() => reopenImage(image, { readOnly: false }))).toBe(
    'EACCES qcow2: Image is corrupt; cannot be opened read/write',
  )
  expect(image.state.readOnly).toBe(true)
})

test('an image that cannot become writable stays as it was', async () => {
  const file = new MemoryChild(await newImage(MiB))
  const { image } = await openOn(file, { readOnly: true })
  await image.header.markDirty()
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect(await failureOf(() => reopenImage(image, { readOnly: false }))).toMatch(/^EIO Could not repair dirty image: /)
  expect(image.state.readOnly).toBe(true)
})
