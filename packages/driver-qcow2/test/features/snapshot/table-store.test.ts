/** Snapshot tables are read whole, or refused with a way out; a new table is in force only when it is on disk. */

import { describe, expect, test } from 'vitest'
import {
  loadSnapshotTable,
  overhangingSnapshotsHint,
  salvageSnapshotTable,
  storeSnapshotTable,
} from '../../../src/features/snapshot/table-store.ts'
import { decodeText, encodeText, viewOf } from '../../../src/format/bytes.ts'
import { encodeSnapshotTable, type SnapshotEntry } from '../../../src/format/snapshot-entry.ts'
import { MiB, newImage } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { openOn } from '../../helpers/open-on.ts'
import { plainSnapshot } from '../../helpers/snapshots.ts'

const second: SnapshotEntry = { ...plainSnapshot, id: encodeText('2'), name: encodeText('a longer name') }

/** A table of two entries at offset 512. */
function tableOfTwo(change: (view: DataView) => void = () => undefined): MemoryChild {
  const table = encodeSnapshotTable([plainSnapshot, second], 0)
  const bytes = new Uint8Array(512 + table.length)
  bytes.set(table, 512)
  change(viewOf(bytes))
  return new MemoryChild(bytes)
}

const place = { nbSnapshots: 2, snapshotsOffset: 512 }

describe('loading', () => {
  test('gives every entry', async () => {
    const { entries, bytes } = await loadSnapshotTable(tableOfTwo(), place)
    expect(entries).toEqual([plainSnapshot, second])
    expect(bytes).toBe(72 + 64 + 14)
  })

  test('reads many entries in few requests', async () => {
    const table = encodeSnapshotTable(new Array<SnapshotEntry>(1000).fill(second), 0)
    const file = new MemoryChild(table)
    const reads: number[] = []
    file.fail = ({ kind, bytes }) => void (kind === 'read' && reads.push(bytes))
    const { entries, bytes } = await loadSnapshotTable(file, { nbSnapshots: 1000, snapshotsOffset: 0 })
    expect([entries.length, bytes]).toEqual([1000, table.length])
    expect(entries.every(({ name }) => decodeText(name) === 'a longer name')).toBe(true)
    expect(reads.length).toBeLessThan(10)
  })

  test('refuses too much extra data', async () => {
    const file = tableOfTwo((view) => view.setUint32(512 + 72 + 36, 1025))
    await expect(loadSnapshotTable(file, place)).rejects.toMatchObject({
      code: 'EFBIG',
      message: 'Too much extra metadata in snapshot table entry 1',
      hint: 'You can force-remove this extra metadata with qemu-img check -r all',
    })
  })

  test('refuses a table that is too large', async () => {
    const many = { nbSnapshots: 3, snapshotsOffset: 512 }
    const file = tableOfTwo((view) => view.setUint32(512 + 36, 1024))
    // 64 MiB of entries are no matter for a test: the second entry claims to be as long as that by itself.
    const { entries, extraDropped } = await salvageSnapshotTable(file, many, () => undefined)
    expect([entries.length, extraDropped]).toEqual([3, 0])
    const lines: string[] = []
    const huge = tableOfTwo((view) => view.setUint32(512 + 72 + 36, 2 ** 31))
    expect((await salvageSnapshotTable(huge, place, (line) => void lines.push(line))).entries).toEqual([plainSnapshot])
    expect(lines).toEqual([
      'Discarding too much extra metadata in snapshot table entry 1 (2147483648 > 1024)',
      'Discarding 1 overhanging snapshots (snapshot table is too big)',
    ])
    expect(overhangingSnapshotsHint(7)).toBe(
      'You can force-remove all 7 overhanging snapshots with qemu-img check -r all',
    )
  })

  test('keeps the code of a failed read', async () => {
    const file = tableOfTwo()
    file.fail = () => 'EIO'
    await expect(loadSnapshotTable(file, place)).rejects.toMatchObject({
      code: 'EIO',
      message: 'Failed to read snapshot table: Input/output error',
    })
  })
})

// 65 entries of 1 MiB each: names cannot be that long, extra data can, but only in a table that is being refused.
test('a table of legal entries that is too large in all', async () => {
  const entry = { ...plainSnapshot, unknownExtra: new Uint8Array(1000), name: new Uint8Array(65535) }
  const count = 1010
  const table = encodeSnapshotTable(
    Array.from({ length: count }, () => entry),
    0,
  )
  const file = new MemoryChild(table)
  await expect(loadSnapshotTable(file, { nbSnapshots: count, snapshotsOffset: 0 })).rejects.toMatchObject({
    code: 'EFBIG',
    message: 'Snapshot table is too big',
    hint: 'You can force-remove all 3 overhanging snapshots with qemu-img check -r all',
  })
})

describe('storing', () => {
  const nothing = { entries: [], bytes: 0 }

  test('writes the table, switches the header, frees the old one', async () => {
    const file = new MemoryChild(await newImage(MiB))
    const { image } = await openOn(file)
    const first = await storeSnapshotTable(image, [plainSnapshot], nothing)
    const offset = image.header.header.snapshotsOffset
    expect(await loadSnapshotTable(file, image.header.header)).toEqual({ ...first, extraDropped: 0 })
    await storeSnapshotTable(image, [plainSnapshot, second], first)
    expect(image.header.header.nbSnapshots).toBe(2)
    expect(image.header.header.snapshotsOffset).not.toBe(offset)
    expect(await image.refcounts.get(offset / 65536)).toBe(0)
    await storeSnapshotTable(image, [], await loadSnapshotTable(file, image.header.header))
    expect(image.header.header).toMatchObject({ nbSnapshots: 0, snapshotsOffset: 0 })
  })

  test('a failure leaves the old table in force and no cluster lost', async () => {
    const file = new MemoryChild(await newImage(MiB))
    const { image } = await openOn(file)
    file.fail = ({ kind, offset }) => (kind === 'write' && offset === 60 ? 'EIO' : undefined)
    await expect(storeSnapshotTable(image, [plainSnapshot], nothing)).rejects.toMatchObject({ code: 'EIO' })
    expect(image.header.header.nbSnapshots).toBe(0)
    expect(await image.refcounts.get(4)).toBe(0)
  })
})
