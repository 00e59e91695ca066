/** Proves that an image changes between read-only and writable with nothing lost, and only where it may. */

import { changeDirtyBitmap, createSnapshot } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { showSnapshot } from '../../src/features/snapshot/snapshots.ts'
import { reopenImage } from '../../src/open/reopen.ts'
import { newImage, openDisk } from '../helpers/disk.ts'
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

test('with the 1st, 2nd, 3rd… request failing, no bitmap on disk is trusted while the image is written', async () => {
  const store = new MemoryStore(await newImage(MiB))
  const opened = await openDisk(store)
  await changeDirtyBitmap(opened.disk.root, { type: 'add', name: 'b0', granularity: 65536, persistent: true })
  await opened.disk.write(MiB / 2, filled(1, 512))
  await opened.close()
  let failures = 0
  let ejections = 0
  for (const forGood of [false, true]) {
    for (let index = 0, hit = true; hit; index++) {
      const file = new MemoryChild(store.bytes())
      const { image, lines, ejected } = await openOn(file)
      await image.writer.write(0, filled(2, 512))
      let seen = 0
      file.fail = ({ kind }) => {
        if (kind === 'read') return undefined
        const at = seen++
        return at === index || (forGood && at > index) ? 'EIO' : undefined
      }
      const result = await reopenImage(image, { readOnly: true }).catch(() => 'failed')
      hit = seen > index
      file.fail = () => undefined
      if (result !== 'failed') continue
      if (ejected()) {
        expect(lines).toContain('error: Could not mark the bitmaps as in use: Input/output error')
        ejections++
        continue
      }
      failures++
      const crashed = await openOn(new MemoryChild(file.content), { readOnly: true })
      const onDisk = crashed.image.nodeBitmaps.list().map(({ inconsistent }) => inconsistent)
      const inMemory = image.nodeBitmaps.list().map(({ readOnly }) => readOnly)
      expect({ index, forGood, onDisk: onDisk.includes(false), inMemory }).toEqual({
        index,
        forGood,
        onDisk: false,
        inMemory: [false],
      })
    }
  }
  expect(failures).toBeGreaterThan(5)
  // Only where nothing can be written any more.
  expect(ejections).toBeGreaterThan(0)
})

test('a disk that shows a snapshot is never written', async () => {
  const store = new MemoryStore(await newImage(MiB))
  const opened = await openDisk(store)
  await createSnapshot(opened.disk, { name: 's' })
  await opened.close()
  const file = new MemoryChild(store.bytes())
  const { image } = await openOn(file, { readOnly: true })
  await showSnapshot(image, 's')
  expect(await failureOf(() => reopenImage(image, { readOnly: false }))).toBe(
    'EACCES A snapshot is shown in place of the disk; it cannot be written',
  )
  expect(file.log.filter(({ kind }) => kind === 'write')).toEqual([])
})
