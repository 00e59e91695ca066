/**
 * Proves that a streamed image reads as its source and checks clean, whatever is known of the source beforehand, and for
 * each option that changes the tables; and that what cannot be streamed is refused before anything is written.
 */

import { writeFileSync } from 'node:fs'
import { MemoryStore, PowerLossStore, expectSameBytes, random, stamped } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import type { ByteSink } from '@blocklayer/block-core/driver'
import { writeQcow2Stream } from '../../../src/features/stream-write/write-stream.ts'
import { checkStore, KiB, MiB, openDisk, readAll } from '../../helpers/disk.ts'
import { failureOf } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'
import { contentOf, type DataRange, MemorySink, type SourceShape, sourceOf } from '../../helpers/streams.ts'

const noise = (bytes: number): Uint8Array => {
  const source = random(7)
  return Uint8Array.from({ length: bytes }, () => source.below(256))
}

const length = 3 * MiB + 512
/** Compressible, not compressible, within a cluster, over clusters, and at the very end. */
const ranges: readonly DataRange[] = [
  { offset: 0, data: stamped(0, 150_000) },
  { offset: MiB + 512, data: noise(70_000) },
  { offset: 2 * MiB, data: stamped(2 * MiB, 200 * KiB) },
  { offset: 2 * MiB + 512 * KiB, data: noise(64 * KiB) },
  { offset: length - 512, data: stamped(length, 512) },
]

const shapes: readonly (readonly [string, SourceShape, boolean])[] = [
  ['a pipe', {}, false],
  ['a pipe of unknown length', { sized: false }, false],
  ['a pipe whose map comes first', { mapped: true }, false],
  ['a pipe whose map cannot be had', { mapped: false }, false],
  ['a file', { repeatable: true }, false],
  ['a pipe, into a file', { sized: false }, true],
]

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }

async function expectImage(bytes: Uint8Array, content: Uint8Array): Promise<void> {
  const store = new MemoryStore(bytes)
  expect(await checkStore(store)).toMatchObject(clean)
  await using opened = await openDisk(store, { readOnly: true })
  expect(opened.disk.length).toBe(content.length)
  expectSameBytes(await readAll(opened.disk), content, 'the disk')
}

describe.each(shapes)('from %s', (_, shape, toFile) => {
  const compressions: readonly (readonly [boolean, Qcow2CreateOptions])[] = [
    [false, {}],
    [true, {}],
    [true, { compressionType: 'zstd', clusterSize: 16 * KiB }],
    [false, { clusterSize: 512, refcountBits: 1 }],
    [true, { clusterSize: 4 * KiB, refcountBits: 1 }],
    [true, { clusterSize: 256 * KiB, compat: 'v2' }],
    [false, { extendedL2: true, clusterSize: 16 * KiB }],
    [true, { extendedL2: true, refcountBits: 64 }],
  ]
  test.each(compressions)('compressed %s, %o', async (compress, create) => {
    const sink = new MemorySink(toFile)
    const result = await writeQcow2Stream(sourceOf(length, ranges, shape), sink, { compress, create })
    expect(result).toMatchObject({ length, streamBytes: sink.bytes.length })
    expect(result.tablesFirst).toBe(shape.repeatable === true || (shape.mapped === true && !compress))
    await expectImage(sink.bytes, contentOf(length, ranges))
  })

  test('a disk without data, and one without length', async () => {
    for (const bytes of [0, 3 * MiB]) {
      const sink = new MemorySink(toFile)
      await writeQcow2Stream(sourceOf(bytes, [], shape), sink)
      await expectImage(sink.bytes, new Uint8Array(bytes))
    }
  })
})

// The first cluster goes out before anybody knows the end, and what the data does not take is zeroes.
test.each([
  [false, {}],
  [true, {}],
  [true, { mapped: true }],
])('without room to hold anything back, compressed %s, %o', async (compress, shape) => {
  const sink = new MemorySink()
  await writeQcow2Stream(sourceOf(length, ranges, shape), sink, { compress, heldMax: 0 })
  await expectImage(sink.bytes, contentOf(length, ranges))
})

test('a stream of unknown length that does not fit memory is refused, and nothing is written', async () => {
  const sink = new MemorySink()
  const source = sourceOf(length, ranges, { sized: false })
  const error = await failureOf(() => writeQcow2Stream(source, sink, { heldMax: 100_000 }))
  expect(error).toBe(
    'ENOMEM A qcow2 stream begins with where its tables will be, which depends on all of its data: more than 100000 bytes ' +
      'of it would have to be held back. Give the size of the disk, or write to a file',
  )
  expect(sink.bytes.length).toBe(0)
})

test('a source that changes between two readings is an error', async () => {
  let reading = 0
  const first = sourceOf(length, ranges, { repeatable: true })
  const second = sourceOf(length, ranges.slice(1), { repeatable: true })
  const pieces = () => (reading++ === 0 ? first : second).pieces()
  const error = await failureOf(() => writeQcow2Stream({ length, isRepeatable: true, pieces }, new MemorySink()))
  expect(error).toBe('EIO The source has changed while it was read')
})

test('a source that knows how much it can hold pads to that, and must not have lied', async () => {
  const bounded = (bytes: number) => ({
    ...sourceOf(length, ranges, { mapped: false }),
    grainBytes: 64 * KiB,
    dataBytesMax: async () => bytes,
  })
  const sink = new MemorySink()
  const { streamBytes } = await writeQcow2Stream(bounded(MiB), sink, { heldMax: 0 })
  expect(streamBytes).toBe(MiB + 5 * 64 * KiB)
  await expectImage(sink.bytes, contentOf(length, ranges))
  const error = await failureOf(() => writeQcow2Stream(bounded(64 * KiB), new MemorySink(), { heldMax: 0 }))
  expect(error).toBe('EIO The source has more data than its tables said')
})

// A power cut, with sectors of requests lost alone.
test('a file that was cut off is either no image or the whole one', async () => {
  const size = 96 * KiB
  const data = [
    { offset: 0, data: stamped(0, 20 * KiB) },
    { offset: 64 * KiB, data: stamped(MiB, 5000) },
  ]
  const store = new PowerLossStore()
  let [position, images] = [0, 0]
  const sink: ByteSink = {
    write: async (bytes) => {
      store.write(position, bytes)
      position += bytes.length
    },
    skip: async (bytes) => {
      position += bytes
    },
    patch: async (offset, bytes) => store.write(offset, bytes),
    flush: async () => store.flush(),
  }
  await writeQcow2Stream(sourceOf(size, data, { sized: false }), sink, { create: { clusterSize: 4 * KiB } })
  store.flush()
  for (const { name, store: left } of store.crashStates({ tear: 512 })) {
    if (
      left
        .bytes()
        .subarray(0, 4)
        .every((byte) => byte === 0)
    )
      continue
    images++
    const result = await checkStore(left)
    expect({ name, ...result }).toMatchObject({ name, corruptions: 0, leaks: 0, checkErrors: 0 })
    await using opened = await openDisk(left, { readOnly: true })
    expectSameBytes(await readAll(opened.disk), contentOf(size, data), name)
  }
  expect(images).toBeGreaterThan(0)
})

test.each([
  [{ backingFile: 'a' }, "ENOTSUP A qcow2 stream cannot have the option 'backing_file'"],
  [{ dataFile: 'a' }, "ENOTSUP A qcow2 stream cannot have the option 'data_file'"],
  [{ preallocation: 'full' }, "ENOTSUP A qcow2 stream cannot have the option 'preallocation'"],
  [{ clusterSize: 1000 }, 'EINVAL Cluster size must be a power of two between 512 and 2048k'],
] as const)('%o is refused', async (create, message) => {
  const sink = new MemorySink()
  expect(await failureOf(() => writeQcow2Stream(sourceOf(512, []), sink, { create }))).toBe(message)
  expect(sink.bytes.length).toBe(0)
})

describeWithReference('the reference', () => {
  test.each([[false], [true]])('checks clean and reads the same, compressed %s', async (compress) => {
    using folder = new TemporaryFolder()
    for (const [i, [, shape, toFile]] of shapes.entries()) {
      const sink = new MemorySink(toFile)
      await writeQcow2Stream(sourceOf(length, ranges, shape), sink, { compress, heldMax: i * MiB })
      const [image, raw] = [folder.file(`${i}.qcow2`), folder.file('disk.raw')]
      writeFileSync(image, sink.bytes)
      writeFileSync(raw, contentOf(length, ranges))
      expect(qemuImg('check', '-f', 'qcow2', image)).toMatchObject({ code: 0, err: '' })
      expect(qemuImg('compare', '-f', 'qcow2', '-F', 'raw', image, raw)).toMatchObject({ code: 0 })
    }
  })
})
