/** A snapshot table is read as far as it can be, and a repair leaves one that the reference reads. */

import { createSnapshot, snapshotsOf } from '@blocklayer/block-core'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../../src/format/bytes.ts'
import { checked, filledImage, problems } from '../../helpers/damage.ts'
import { checkStore, newImage, openDisk } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { addSnapshot } from '../../helpers/snapshots.ts'

/** An image with a snapshot of nothing, so that nothing is shared. */
async function withSnapshot(extraBytes?: number) {
  const image = addSnapshot(await filledImage(), { l1Size: 0 })
  // Its L1 table is of no use to anyone.
  image.count(69, 0)
  if (extraBytes !== undefined) image.view.setUint32(70 * 1024 + 36, extraBytes)
  return image
}

test('a sound table is counted', async () => {
  expect((await checked(await withSnapshot())).lines).toEqual([])
})

test('an entry without the sizes that version 3 requires', async () => {
  const image = await withSnapshot(8)
  const { lines, result } = await checked(image)
  expect(lines).toEqual(['ERROR snapshot table entry 0 is incomplete'])
  expect(problems(result)).toEqual({ corruptions: 1 })
  const repaired = await checked(image, 'all')
  expect(repaired.lines).toEqual(['Repairing snapshot table entry 0 is incomplete'])
  expect(problems(repaired.result)).toEqual({ corruptionsFixed: 1 })
  expect((await checked(repaired.after)).lines).toEqual([])
  // The disk's size was not recorded: it is the present one.
  const table = Number(repaired.after.get(64))
  expect(repaired.after.get(table + 48)).toBe(65536n)
})

describe('too much extra data', () => {
  test('ends a check', async () => {
    const { lines, failure } = await checked(await withSnapshot(1025))
    expect(lines).toEqual([
      'error: ERROR failed to read the snapshot table: Too much extra metadata in snapshot table entry 0',
      'You can force-remove this extra metadata with qemu-img check -r all',
    ])
    expect(failure).toBe('EFBIG File too large')
  })

  test('is cut by a repair', async () => {
    const { lines, result, after } = await checked(await withSnapshot(1025), 'all')
    expect(lines[0]).toBe('Discarding too much extra metadata in snapshot table entry 0 (1025 > 1024)')
    expect(result).toMatchObject({ corruptions: 0, leaks: 0 })
    expect((await checked(after)).lines).toEqual([])
  })
})

describe('a table that is too large', () => {
  test('in bytes', async () => {
    const image = await withSnapshot(67_108_864)
    const { lines, result, after } = await checked(image, 'all')
    expect(lines.slice(0, 2)).toEqual([
      'Discarding too much extra metadata in snapshot table entry 0 (67108864 > 1024)',
      'Discarding 1 overhanging snapshots (snapshot table is too big)',
    ])
    expect(result?.corruptionsFixed).toBe(2)
    expect(after.header.nbSnapshots).toBe(0)
  })

  test('in entries', async () => {
    const image = await withSnapshot()
    image.view.setUint32(60, 65537)
    const { lines, failure } = await checked(image)
    expect(lines).toEqual([
      'error: ERROR snapshot table too large',
      'You can force-remove all 1 overhanging snapshots with qemu-img check -r all',
    ])
    expect(failure).toBe('EFBIG File too large')
    expect((await checked(image, 'all')).lines[0]).toBe('Discarding 1 overhanging snapshots')
  })

  test('whose new count cannot be written', async () => {
    const image = await withSnapshot(67_108_864)
    const { lines, failure } = await checked(new MemoryChild(image.bytes), 'all', (file) => {
      file.fail = ({ kind, offset }) => (kind === 'write' && offset === 60 ? 'EIO' : undefined)
    })
    expect(lines.at(-1)).toBe(
      'error: ERROR failed to update the snapshot count in the image header: Input/output error',
    )
    expect(failure).toBe('EIO Input/output error')
  })
})

test('a table that lies between two clusters', async () => {
  const image = await withSnapshot()
  image.set(64, 0x11801n)
  const { lines, failure } = await checked(image)
  expect(lines).toEqual(['error: ERROR snapshot table offset invalid'])
  expect(failure).toBe('EINVAL Invalid argument')
})

test('a table that cannot be read', async () => {
  const { lines } = await checked(new MemoryChild((await withSnapshot()).bytes), 'none', (file) => {
    file.fail = ({ kind, offset }) => (kind === 'read' && offset === 70 * 1024 ? 'EIO' : undefined)
  })
  expect(lines).toEqual([
    'error: ERROR failed to read the snapshot table: Failed to read snapshot table: Input/output error',
  ])
})

test('a table that cannot be written', async () => {
  const image = await withSnapshot(8)
  const { lines, failure } = await checked(new MemoryChild(image.bytes), 'all', (file) => {
    file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  })
  expect(lines.at(-1)).toBe('error: ERROR failed to update snapshot table: Input/output error')
  expect(failure).toBe('EIO Input/output error')
})

// The table that was mended at open takes another cluster than the one before: the next change must free both.
test('an image that is mended while it is open knows its new table', async () => {
  const store = new MemoryStore(await newImage(65536, { clusterSize: 512 }))
  await using made = await openDisk(store)
  for (const letter of 'abcdefgh') await createSnapshot(made.disk, { name: letter.repeat(10) })
  await made.close()
  const image = store.bytes()
  const view = viewOf(image)
  // Extra data of 8 bytes in each entry of 80 bytes, the names moved up: too little for version 3.
  const table = Number(view.getBigUint64(64))
  for (let index = 0, from = table, to = table; index < 8; index++, from += 80, to += 64) {
    const names = image.slice(from + 64, from + 75)
    image.copyWithin(to, from, from + 48)
    view.setUint32(to + 36, 8)
    image.set(names, to + 48)
    image.fill(0, to + 59, to + 64)
  }
  // Eight entries of 64 bytes are one cluster: the second is no part of the table any more.
  const counts = Number(view.getBigUint64(Number(view.getBigUint64(48))))
  view.setUint16(counts + 2 * (table / 512 + 1), 0)
  image[79] = 1
  store.write(0, image)
  await using opened = await openDisk(store)
  expect(opened.lines.filter((line) => line.includes('is incomplete'))).toHaveLength(8)
  expect(snapshotsOf(opened.disk)).toHaveLength(8)
  await createSnapshot(opened.disk, { name: 'next' })
  await opened.close()
  expect(await checkStore(store)).toMatchObject({ corruptions: 0, leaks: 0 })
})
