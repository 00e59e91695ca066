/** Proves that raw bytes go in and out unchanged, in whole sectors, with holes where the sink can have them. */

import { concatBytes } from '@blocklayer/block-core'
import { expectSameBytes, filled, stamped } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { ForwardBytes } from '../../src/stream/forward-bytes.ts'
import { rawDiskStream, writeRawStream } from '../../src/stream/raw-stream.ts'
import { chunksOf, failureOf, ListSink } from './support.ts'

const MiB = 2 ** 20
const content = concatBytes([stamped(0, MiB + 5000), filled(0, MiB), stamped(7, 1000), filled(0, 70_000)])
const source = (length?: number) => rawDiskStream(new ForwardBytes(chunksOf(content, 30_000)), length)

test.each([[false], [true]])('to a sink that can skip: %s', async (canSkip) => {
  const sink = new ListSink(canSkip)
  const length = Math.ceil(content.length / 512) * 512
  expect(await writeRawStream(source(), sink)).toBe(length)
  expect(sink.bytes.length).toBe(length)
  expectSameBytes(sink.bytes.subarray(0, content.length), content, 'the disk')
  if (canSkip) expect(sink.skipped).toBeGreaterThan(MiB)
})

test('runs without data become zeroes', async () => {
  const pieces = async function* () {
    yield { offset: 0, bytes: 100_000 }
    yield { offset: 100_000, bytes: 10, data: filled(1, 10) }
  }
  for (const sink of [new ListSink(), new ListSink(true)]) {
    expect(await writeRawStream({ length: 100_010, isRepeatable: false, pieces }, sink)).toBe(100_352)
    expectSameBytes(sink.bytes, concatBytes([filled(0, 100_000), filled(1, 10), filled(0, 342)]), 'the disk')
  }
})

test('an empty stream is an empty disk', async () => {
  const empty = rawDiskStream(new ForwardBytes(chunksOf(new Uint8Array(0), 10)))
  expect(await writeRawStream(empty, new ListSink())).toBe(0)
})

test('a length that was said must be right', async () => {
  expect(await failureOf(() => writeRawStream(source(content.length), new ListSink()))).toBe('no error')
  const short = await failureOf(() => writeRawStream(source(content.length + 1), new ListSink()))
  expect(short).toBe(
    `EIO the stream has ${content.length} bytes, not the ${content.length + 1} bytes that it was said to have`,
  )
  const long = await failureOf(() => writeRawStream(source(1000), new ListSink()))
  expect(long).toBe('EIO the stream has more than the 1000 bytes that it was said to have')
})
