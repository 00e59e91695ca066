/** Proves which images can be read as streams: those in the order of the disk, and what becomes of the others. */

import { type BlockGraph, createBlockGraph } from '@blocklayer/block-core'
import { expectSameBytes, MemoryStore, memory, random, seeds } from '@blocklayer/block-core/testing'
import {
  qcow2,
  qcow2DataBytesMax,
  qcow2Driver,
  type Qcow2CreateOptions,
  writeQcow2Stream,
} from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { expect, test } from 'vitest'
import { diskStream } from '../../src/stream/disk-stream.ts'
import { ForwardBytes } from '../../src/stream/forward-bytes.ts'
import { openDiskStream } from '../../src/stream/open-disk-stream.ts'
import { writeRawStream } from '../../src/stream/raw-stream.ts'
import { chunksOf, failureOf, ListSink, noise } from './support.ts'

const MiB = 2 ** 20
const length = 8 * MiB
/** Guest offsets of the data, in the order of writing; 100000 bytes each. */
const inOrder = [0, MiB, 3 * MiB, 3 * MiB + 100_000, 7 * MiB]
const bytesEach = 100_000

const newGraph = (): BlockGraph => createBlockGraph({ drivers: [rawDriver, qcow2Driver], implicitOpen: 'deny' })

interface Image {
  readonly bytes: Uint8Array
  readonly content: Uint8Array
}

/** An image whose clusters stand in the order of writing. */
async function imageOf(places: readonly number[], create: Qcow2CreateOptions = {}): Promise<Image> {
  const sink = new ListSink()
  const pieces = async function* () {
    yield { offset: 0, bytes: length }
  }
  await writeQcow2Stream({ length, isRepeatable: true, pieces }, sink, { create })
  const store = new MemoryStore(sink.bytes)
  await using graph = newGraph()
  await using disk = await graph.open(qcow2({ file: memory(store) }))
  for (const offset of places) await disk.write(offset, noise(offset, bytesEach))
  const content = new Uint8Array(length)
  await disk.read(0, content)
  await graph.close()
  return { bytes: store.bytes(), content }
}

async function rawOf(image: Uint8Array, keepMax: number, format?: string): Promise<Uint8Array> {
  await using graph = newGraph()
  const bytes = new ForwardBytes(chunksOf(image, 40_000), { keepMax })
  const sink = new ListSink()
  await writeRawStream(await openDiskStream(bytes, { graph, format }), sink)
  return sink.bytes
}

test.each([
  [{}, 'probed'],
  [{ clusterSize: 4096 }, 'qcow2'],
  [{ extendedL2: true }, 'qcow2'],
  [{ compat: 'v2' }, 'qcow2'],
] as const)('an image in order, %o, %s', async (create, format) => {
  const { bytes, content } = await imageOf(inOrder, create)
  expectSameBytes(await rawOf(bytes, MiB / 4, format === 'probed' ? undefined : format), content, 'the disk')
})

test('what begins like no format is raw', async () => {
  expectSameBytes(await rawOf(noise(0, 2048), MiB), noise(0, 2048), 'the disk')
})

test('an image out of order streams as far as enough of it is kept', async () => {
  const { bytes, content } = await imageOf(inOrder.toReversed())
  expectSameBytes(await rawOf(bytes, 2 * MiB), content, 'the disk')
  expect(await failureOf(() => rawOf(bytes, MiB / 8))).toMatch(
    /^ESPIPE error while reading at byte \d+: byte \d+ of the stream is needed when byte \d+ has been reached/,
  )
})

test('tables behind the data are refused before anything is read of it', async () => {
  const { content } = await imageOf(inOrder)
  const source = {
    length,
    isRepeatable: false,
    pieces: async function* () {
      yield { offset: 0, bytes: length, data: content }
    },
  }
  const sink = new ListSink()
  await writeQcow2Stream(source, sink)
  expect(await failureOf(() => rawOf(sink.bytes, 100_000))).toMatch(
    /^ESPIPE a table at byte \d+ of the stream lies behind/,
  )
})

test('a stream that was cut off is an error wherever that happened', async () => {
  const { bytes } = await imageOf(inOrder)
  for (let cut = 512; cut < bytes.length; cut += 65_536) {
    expect(await failureOf(() => rawOf(bytes.subarray(0, cut), 2 * MiB, 'qcow2'))).not.toBe('no error')
  }
})

test('an unknown format is refused', async () => {
  expect(await failureOf(() => rawOf(noise(0, 512), MiB, 'vmdk'))).toBe("ENOTSUP Unknown driver 'vmdk'")
})

// What the map said must be what comes, also where only the first tables could be looked at.
test.each([[16 * MiB], [MiB / 4]])('from image to image, %i bytes kept', async (keepMax) => {
  const { bytes, content } = await imageOf(inOrder, { clusterSize: 4096 })
  for (const compress of [false, true]) {
    await using graph = newGraph()
    const stream = new ForwardBytes(chunksOf(bytes, 40_000), { keepMax })
    const dataBounds = { qcow2: qcow2DataBytesMax }
    const sink = new ListSink()
    const disk = await openDiskStream(stream, { graph, dataBounds })
    const { tablesFirst, streamBytes } = await writeQcow2Stream(disk, sink, {
      compress,
      heldMax: 0,
      create: { clusterSize: 4096 },
    })
    expect([tablesFirst, streamBytes]).toEqual([keepMax > MiB && !compress, sink.bytes.length])
    expect(streamBytes).toBeLessThan(length)
    expectSameBytes(await rawOf(sink.bytes, 16 * MiB), content, 'the disk')
  }
})

test('a disk that can be read again streams from any order', async () => {
  const { bytes, content } = await imageOf(inOrder.toReversed())
  await using graph = newGraph()
  await using disk = await graph.open(qcow2({ file: memory(new MemoryStore(bytes)) }), { readOnly: true })
  const sink = new ListSink()
  expect(await writeQcow2Stream(diskStream(disk), sink, { compress: true })).toMatchObject({ tablesFirst: true })
  expectSameBytes(await rawOf(sink.bytes, MiB), content, 'the disk')
})

// Hostile streams end with an error or as a disk of the length that they say, and never in another way.
test.each(seeds(1, 2))('damaged images (seed %i)', async (seed) => {
  const choose = random(seed)
  const { bytes } = await imageOf(inOrder)
  for (let round = 0; round < 60; round++) {
    const damaged = bytes.slice()
    for (let hits = choose.below(4); hits >= 0; hits--) {
      damaged[choose.pick([choose.below(120), choose.below(7 * 65_536)])] = choose.below(256)
    }
    await failureOf(async () => {
      await using graph = newGraph()
      const stream = new ForwardBytes(chunksOf(damaged, 40_000), { keepMax: MiB })
      const disk = await openDiskStream(stream, { graph, format: 'qcow2' })
      let at = 0
      for await (const piece of disk.pieces()) {
        expect(piece.offset).toBe(at)
        at += piece.bytes
        if (at > 64 * MiB) return
      }
      expect(at).toBe(disk.length)
    })
  }
})
