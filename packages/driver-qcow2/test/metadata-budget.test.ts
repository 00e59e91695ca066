/**
 * Proves that a request reads no more metadata than it needs, in pieces no larger than the caches' entries: slices of L2
 * tables and refcount blocks, however large clusters and tables are and wherever it goes. The tables that are held whole
 * are read once, when the image is opened, and nothing of them where they claim to be larger than the format allows.
 */

import { filled } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { viewOf } from '../src/format/bytes.ts'
import { decodeHeader } from '../src/format/header.ts'
import type { Qcow2Options } from '../src/open/options.ts'
import { KiB, MiB, newImage } from './helpers/disk.ts'
import { MemoryChild } from './helpers/memory-child.ts'
import { failureOf, openOn } from './helpers/open-on.ts'

const TiB = 2 ** 40
const GiB = 2 ** 30

/** A file that remembers what was read of it. */
class ReadLog extends MemoryChild {
  readonly reads: number[] = []

  override async read(offset: number, into: Uint8Array): Promise<void> {
    this.reads.push(into.length)
    await super.read(offset, into)
  }

  /** How much was read since the last call, and the largest piece of it. */
  take(): { readonly bytes: number; readonly largest: number } {
    const reads = this.reads.splice(0)
    return { bytes: reads.reduce((sum, length) => sum + length, 0), largest: Math.max(0, ...reads) }
  }
}

interface Shape {
  readonly name: string
  readonly size: number
  readonly create: Qcow2CreateOptions
  readonly options?: Qcow2Options
  /** Bytes that an L2 cache entry comes to. */
  readonly slice: number
}

const shapes: readonly Shape[] = [
  { name: '64 TiB, clusters of 2 MiB', size: 64 * TiB, create: { clusterSize: 2 * MiB }, slice: 4 * KiB },
  {
    name: '1 TiB, clusters of 2 MiB, all tables in the cache',
    size: TiB,
    create: { clusterSize: 2 * MiB },
    slice: 2 * MiB,
  },
  {
    name: '64 TiB, extended entries',
    size: 64 * TiB,
    create: { clusterSize: 2 * MiB, extendedL2: true },
    slice: 4 * KiB,
  },
  {
    name: '4 GiB, clusters of 512 bytes: an L1 table of 1 MiB',
    size: 4 * GiB,
    create: { clusterSize: 512 },
    slice: 512,
  },
]

describe.each(shapes)('$name', ({ size, create, options = {}, slice }) => {
  const cluster = Number(create.clusterSize)

  test('no request reads more than it needs', async () => {
    const file = new ReadLog(await newImage(size, create))
    const first = await openOn(file, { options })
    const places = [0, size - 4 * cluster]
    for (const place of places) await first.image.writer.write(place, filled(1, 2 * cluster))
    await first.image.caches.flush()

    for (const place of places) {
      // Each is made with nothing in the caches but what opening leaves.
      const asked = async (act: (image: (typeof first)['image']) => Promise<unknown>) => {
        const { image } = await openOn(file, { options })
        expect(image.caches.l2Tables.entrySize).toBe(slice)
        file.take()
        await act(image)
        return file.take()
      }
      const block = { bytes: cluster, largest: cluster }
      const read = await asked((image) => image.reader.read(place, new Uint8Array(512)))
      expect(read).toEqual({ bytes: slice + 512, largest: slice })
      const over = await asked((image) => image.reader.read(place + cluster - 512, new Uint8Array(1024)))
      // Two clusters in two slices at most, and their data in one piece or two.
      expect(over.bytes).toBeLessThanOrEqual(2 * slice + 1024)
      const status = await asked((image) => image.status.blockStatus(place, Math.min(size - place, 2 ** 40)))
      expect(status.bytes).toBeLessThanOrEqual(slice)
      const written = await asked((image) => image.writer.write(place, filled(2, 512)))
      expect(written.bytes).toBeLessThanOrEqual(slice)
      // The first allocation looks for a free cluster from the beginning of the file on, as in the reference.
      const { refblockEntries } = first.image.geometry
      const search = Math.ceil(file.length / cluster / refblockEntries) * cluster
      const taken = await asked(async (image) => {
        await image.writer.write(place + 2 * cluster, filled(2, cluster))
        const { bytes, largest } = file.take()
        expect(bytes).toBeLessThanOrEqual(slice + block.bytes + search)
        expect(largest).toBeLessThanOrEqual(Math.max(slice, block.largest))
        await image.writer.write(place + 3 * cluster, filled(2, cluster))
      })
      expect(taken.bytes).toBeLessThanOrEqual(slice + 2 * block.bytes)
      const given = await asked((image) => image.zeroWriter.discard(place + 2 * cluster, cluster))
      expect(given.bytes).toBeLessThanOrEqual(slice + 2 * block.bytes)
      const zeroed = await asked((image) => image.zeroWriter.writeZeroes(place, cluster, { mayUnmap: false }))
      expect(zeroed.bytes).toBeLessThanOrEqual(slice)
    }
  })

  test('opening reads the header and the tables that are held whole, once', async () => {
    const content = await newImage(size, create)
    const { l1Size, refcountTableClusters } = decodeHeader(content)
    const file = new ReadLog(content)
    const { image } = await openOn(file, { options, readOnly: true })
    expect(file.take().bytes).toBeLessThanOrEqual(2 * cluster + 8 * l1Size + refcountTableClusters * cluster)
    await image.lookup.find(0 as never, 1)
    expect(file.take().bytes).toBe(0)
  })
})

describe('a long refcount table', () => {
  /** The table moved behind everything else, with room for `bytes`. */
  async function longTable(bytes: number): Promise<ReadLog> {
    const content = await newImage(GiB)
    const { refcountTableOffset } = decodeHeader(content)
    const end = Math.ceil(content.length / 65536) * 65536
    const longer = new Uint8Array(end + Math.min(bytes, 8 * MiB))
    longer.set(content)
    longer.copyWithin(end, refcountTableOffset, refcountTableOffset + 65536)
    // Counted, as everything that is in use: entries of 16 bits in cluster 2.
    for (let at = end; at < longer.length; at += 65536) viewOf(longer).setUint16(2 * 65536 + (at / 65536) * 2, 1)
    viewOf(longer).setBigUint64(48, BigInt(end))
    viewOf(longer).setUint32(56, bytes / 65536)
    return new ReadLog(longer)
  }

  test('is read once, and no request reads of it', async () => {
    const file = await longTable(8 * MiB)
    const { image } = await openOn(file)
    expect(file.take().largest).toBe(8 * MiB)
    await image.reader.read(0, new Uint8Array(512))
    await image.writer.write(0, filled(1, 65536))
    await image.zeroWriter.discard(0, 65536)
    await image.caches.flush()
    // One refcount block; the L2 table is new.
    expect(file.take()).toEqual({ bytes: 65536, largest: 65536 })
  })

  test('is refused before anything of it is read, where it is too long', async () => {
    const file = await longTable(8 * MiB + 65536)
    expect(await failureOf(() => openOn(file))).toBe('EFBIG Reference count table too large')
    expect(file.take().bytes).toBeLessThanOrEqual(2 * 65536)
  })
})

test.each([
  { what: 'an L1 table', at: 36, value: 4194305, message: 'EFBIG Active L1 table too large' },
  { what: 'a snapshot table', at: 60, value: 65537, message: 'EFBIG Snapshot table too large' },
])('$what that is too long is refused before anything of it is read', async ({ at, value, message }) => {
  const content = await newImage(GiB)
  viewOf(content).setUint32(at, value)
  const file = new ReadLog(content)
  expect(await failureOf(() => openOn(file))).toBe(message)
  expect(file.take().bytes).toBeLessThanOrEqual(2 * 65536)
})
