// Proves that snapshots are made, shown, applied and deleted by name, and what is said where that cannot be.

import { snapshotsOf } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { changeImageBitmap } from '../src/image-bitmap.ts'
import {
  applyImageSnapshot,
  createImageSnapshot,
  deleteImageSnapshot,
  showImageSnapshot,
} from '../src/image-snapshots.ts'
import { filled, memoryImages, mib } from './support/images.ts'

const first = async (disk: { read(offset: number, into: Uint8Array): Promise<void> }): Promise<number | undefined> => {
  const into = new Uint8Array(1)
  await disk.read(0, into)
  return into[0]
}

test('made, shown, applied, deleted', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib, { 0: filled(512, 1) })
  const disk = await images.open('disk', 'qcow2', { writable: true })
  await createImageSnapshot(disk, 'one')
  await disk.write(0, filled(512, 2))
  await disk.close()
  {
    await using shown = await images.open('disk', 'qcow2')
    await showImageSnapshot(shown, { name: 'one' })
    expect(await first(shown)).toBe(1)
  }
  await using again = await images.open('disk', 'qcow2', { writable: true })
  expect(await first(again)).toBe(2)
  await applyImageSnapshot(again, 'one')
  expect(await first(again)).toBe(1)
  await deleteImageSnapshot(again, 'one')
  expect(snapshotsOf(again)).toEqual([])
})

test('a name is cut between characters', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  await createImageSnapshot(disk, 'é'.repeat(200))
  expect(snapshotsOf(disk)[0]?.name).toBe('é'.repeat(127))
})

test('only a name says what is deleted', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  await createImageSnapshot(disk, 'one')
  await expect(deleteImageSnapshot(disk, '1')).rejects.toMatchObject({
    code: 'ENOENT',
    message: "Could not delete snapshot '1': snapshot not found",
  })
})

test('what cannot be, in the reference’s words', async () => {
  await using images = memoryImages()
  await images.make('raw', 'raw', mib)
  await images.make('disk', 'qcow2', mib)
  const raw = await images.open('raw', 'raw', { writable: true })
  await expect(createImageSnapshot(raw, 's')).rejects.toThrow("Could not create snapshot 's': Operation not supported")
  await expect(applyImageSnapshot(raw, 's')).rejects.toThrow(
    "Could not apply snapshot 's': Block driver does not support snapshots",
  )
  await expect(showImageSnapshot(raw, 's')).rejects.toThrow(
    "Failed to load snapshot: Block format 'raw' used by device '' does not support temporarily loading internal snapshots",
  )
  {
    await using reader = await images.open('disk', 'qcow2')
    await expect(showImageSnapshot(reader, 's')).rejects.toThrow("Failed to load snapshot: Can't find snapshot")
  }
  await using disk = await images.open('disk', 'qcow2', { writable: true })
  await expect(applyImageSnapshot(disk, 's')).rejects.toThrow(
    "Could not apply snapshot 's': Failed to load snapshot: No such file or directory",
  )
  await createImageSnapshot(disk, 's')
  await changeImageBitmap(disk, 'b', [{ type: 'add' }])
  await expect(applyImageSnapshot(disk, 's')).rejects.toMatchObject({
    code: 'EBUSY',
    message: "Could not apply snapshot 's': Device has active dirty bitmaps",
  })
})

test('a deletion that fails', async () => {
  await using images = memoryImages()
  await images.make('disk', 'qcow2', mib)
  const disk = await images.open('disk', 'qcow2', { writable: true })
  await createImageSnapshot(disk, 's')
  await disk.close()
  await using reader = await images.open('disk', 'qcow2')
  await expect(deleteImageSnapshot(reader, 's')).rejects.toThrow("Could not delete snapshot 's': Permission denied")
})
