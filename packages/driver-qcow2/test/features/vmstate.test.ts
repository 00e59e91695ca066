/** Proves that machine state lies behind the disk, and goes with the snapshot that is made next. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { truncateImage } from '../../src/features/resize/grow.ts'
import { createSnapshot, showSnapshot } from '../../src/features/snapshot/snapshots.ts'
import { readVmState, vmStateOffset, writeVmState } from '../../src/features/vmstate.ts'
import { KiB, MiB, newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

const moment = { name: 's', dateSeconds: 0, dateNanoseconds: 0, vmClockNanoseconds: 0, icount: undefined }

test('state is written, kept by the snapshot, and gone from the disk', async () => {
  const file = new MemoryChild(await newImage(8 * MiB, { clusterSize: 4096 }))
  const { image } = await openOn(file)
  expect(vmStateOffset(image)).toBe(8 * MiB)
  const events = (): unknown[] => file.log.filter(({ kind }) => kind === 'event').map(({ event }) => event)
  file.log.length = 0
  await writeVmState(image, 1000, filled(5, 300 * KiB))
  expect(events()[0]).toBe('vmstate_save')
  expect(image.l1.entryCount).toBeGreaterThan(4)
  const entry = await image.lock.run(() => createSnapshot(image, { ...moment, vmStateBytes: 301 * KiB }))
  expect(entry).toMatchObject({ vmStateSize: 301 * KiB, icountHigh: 0xffffffff, icountLow: 0xffffffff })
  const found = filled(9, 301 * KiB)
  file.log.length = 0
  await readVmState(image, 0, found)
  expect(events()[0]).toBe('vmstate_load')
  expect(found.some((byte) => byte !== 0)).toBe(false)
  await image.lock.run(() => image.caches.flush())
  const later = await openOn(new MemoryChild(file.content), { readOnly: true })
  await later.image.lock.run(() => showSnapshot(later.image, 's'))
  await readVmState(later.image, 0, found)
  expect([found[999], found[1000], found[999 + 300 * KiB], found[1000 + 300 * KiB]]).toEqual([0, 5, 5, 0])
})

test('a disk that grows over state that no snapshot took does not show it', async () => {
  const file = new MemoryChild(await newImage(2 * MiB, { clusterSize: 4096 }))
  const { image } = await openOn(file)
  await writeVmState(image, 1000, filled(5, 300 * KiB))
  await truncateImage(image, 8 * MiB, { preallocation: 'off', exact: true, zeroNewArea: false })
  const found = filled(9, 6 * MiB)
  await image.reader.read(2 * MiB, found)
  expect(found.some((byte) => byte !== 0)).toBe(false)
  // Whoever finds the new size on disk finds it empty as well.
  const later = await openOn(new MemoryChild(file.content), { readOnly: true })
  await later.image.reader.read(2 * MiB, found.fill(9))
  expect(found.some((byte) => byte !== 0)).toBe(false)
})
