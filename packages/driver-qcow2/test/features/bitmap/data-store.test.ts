/** Proves that bits of every kind come back from their table: none, all, some; and what is said of a table that is broken. */

import { DirtyBitmap } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import {
  bitmapRuns,
  bitmapTableEntries,
  type HostRun,
  loadBitmapBits,
  storeBitmapBits,
} from '../../../src/features/bitmap/data-store.ts'
import { encodeText } from '../../../src/format/bytes.ts'
import { MiB, newImage } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'

const granularity = 512
const size = 16 * MiB

async function open() {
  const file = new MemoryChild(await newImage(size, { clusterSize: 512 }))
  return { file, ...(await openOn(file)) }
}

const entryFor = (place: { tableOffset: number; tableSize: number }) => ({
  ...place,
  flags: 0,
  type: 1,
  granularityBits: 9,
  extraBytes: 0,
  name: encodeText('b0'),
  entryBytes: 32,
})

test('what is stored is loaded', async () => {
  const { file, image } = await open()
  const bitmap = new DirtyBitmap({ length: size, granularity })
  // One cluster of bits stands for 2 MiB: the first some, the second none, the third all.
  bitmap.markDirty(5 * 512, 1024)
  bitmap.markDirty(4 * MiB, 2 * MiB)
  bitmap.markDirty(size - 1, 1)
  const taken: HostRun[] = []
  const place = await storeBitmapBits(image, bitmap, taken)
  expect([bitmapTableEntries(image, bitmap), place.tableSize, taken.length]).toEqual([8, 8, 4])
  const entry = entryFor(place)
  const again = new DirtyBitmap({ length: size, granularity })
  await loadBitmapBits(image, entry, again)
  expect([...again.dirtyAreas()]).toEqual([...bitmap.dirtyAreas()])
  const runs = await bitmapRuns(image, entry)
  expect([...runs.data, runs.table].map(({ offset }) => offset)).toEqual(taken.map(({ offset }) => offset))
  // A table entry may say that all bits of its cluster are set.
  await file.write(place.tableOffset + 8, Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1]))
  await loadBitmapBits(image, entry, again)
  expect(again.nextClean(2 * MiB)).toBe(6 * MiB)
})

test('broken tables', async () => {
  const { file, image } = await open()
  const bitmap = new DirtyBitmap({ length: size, granularity })
  const place = await storeBitmapBits(image, bitmap, [])
  expect(await failureOf(() => loadBitmapBits(image, entryFor({ ...place, tableSize: 7 }), bitmap))).toBe(
    "EINVAL Could not read bitmap 'b0' from image: Invalid argument",
  )
  await file.write(place.tableOffset, Uint8Array.from([0x80, 0, 0, 0, 0, 0, 0, 0]))
  expect(await failureOf(() => loadBitmapBits(image, entryFor(place), bitmap))).toBe(
    "EINVAL Could not read bitmap_table table from image for bitmap 'b0': Invalid argument",
  )
  // Inside a cluster: giving it back would give back two.
  const coarse = { file, geometry: { ...image.geometry, clusterSize: 1024 } }
  await file.write(place.tableOffset, Uint8Array.from([0, 0, 0, 0, 0, 0, 2, 0]))
  expect(await failureOf(() => bitmapRuns(coarse, entryFor(place)))).toBe(
    "EINVAL Could not read bitmap_table table from image for bitmap 'b0': Invalid argument",
  )
  file.fail = ({ kind }) => (kind === 'read' ? 'EIO' : undefined)
  expect(await failureOf(() => loadBitmapBits(image, entryFor(place), bitmap))).toBe(
    "EIO Could not read bitmap_table table from image for bitmap 'b0': Input/output error",
  )
})
