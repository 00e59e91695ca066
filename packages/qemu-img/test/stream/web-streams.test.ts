/** Proves that streams of the web become disks and disks become streams, one chunk at a time, whatever ends them. */

import { BlockError } from '@blocklayer/block-core'
import { qcow2Driver, writeQcow2Stream } from '@blocklayer/driver-qcow2'
import { describe, expect, test } from 'vitest'
import { ForwardBytes } from '../../src/stream/forward-bytes.ts'
import { rawDiskStream, writeRawStream } from '../../src/stream/raw-stream.ts'
import { type ByteSource, chunksOf, rawStreamOf, streamOf } from '../../src/stream/web-streams.ts'
import { chunksOf as piecesOf, failureOf, ListSink, noise } from './support.ts'

const length = 3 * 2 ** 20 + 512
const drivers = [qcow2Driver]

/** A disk with data, a hole and data again. */
function content(): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set(noise(0, 300_000))
  bytes.set(noise(7, 70_000), 2 ** 21)
  return bytes
}

async function image(compress: boolean): Promise<Uint8Array> {
  const sink = new ListSink()
  const disk = rawDiskStream(new ForwardBytes(piecesOf(content(), 50_000)), length)
  await writeQcow2Stream({ ...disk, isRepeatable: false }, sink, { compress })
  return sink.bytes
}

/** A stream of the web, and what happened to it. */
function webStream(bytes: Uint8Array, chunkBytes = 10_000) {
  const seen = { pulled: 0, cancelled: undefined as unknown }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const at = seen.pulled++ * chunkBytes
        if (at < bytes.length) controller.enqueue(bytes.slice(at, at + chunkBytes))
        else controller.close()
      },
      cancel: (reason) => {
        seen.cancelled = reason
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, seen }
}

async function joined(source: ByteSource): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of chunksOf(source)) parts.push(part)
  return Buffer.concat(parts)
}

describe.each([[false], [true]])('an image, compressed %s', (compress) => {
  test('from a stream of the web and from any other', async () => {
    const bytes = await image(compress)
    for (const source of [webStream(bytes).stream, piecesOf(bytes, 10_000), new Blob([bytes as never]).stream()]) {
      expect(Buffer.compare(await joined(rawStreamOf(source, { drivers })), content())).toBe(0)
    }
  })

  test('what comes out goes in again as a stream', async () => {
    const disk = rawDiskStream(
      new ForwardBytes(chunksOf(rawStreamOf(webStream(await image(compress)).stream, { drivers }))),
    )
    const again = streamOf((sink) => writeQcow2Stream(disk, sink, { compress }))
    expect(Buffer.compare(await joined(rawStreamOf(again, { drivers })), content())).toBe(0)
  })
})

test('nothing is read before it is asked for, nor much more than that', async () => {
  const { stream, seen } = webStream(content())
  const reader = rawStreamOf(stream, { drivers, format: 'raw' }).getReader()
  expect(seen.pulled).toBe(0)
  await reader.read()
  expect(seen.pulled).toBeLessThan(120)
})

test('who wants no more lets the source go, even while it waits', async () => {
  const { stream, seen } = webStream(content())
  const reader = rawStreamOf(stream, { drivers, format: 'raw' }).getReader()
  await reader.read()
  await reader.cancel('enough')
  expect(seen.cancelled).toBe('enough')
  let reason: unknown
  const silent = new ReadableStream<Uint8Array>({
    cancel: (given) => {
      reason = given
    },
  })
  const waiting = rawStreamOf(silent, { drivers }).getReader()
  const read = waiting.read()
  // It has begun to wait.
  await new Promise((resolve) => setTimeout(resolve, 0))
  await waiting.cancel('too slow')
  expect([reason, await read]).toEqual(['too slow', { value: undefined, done: true }])
})

test('a stream that nobody began to read lets its source go as well', async () => {
  const { stream, seen } = webStream(content())
  await rawStreamOf(stream, { drivers }).cancel('unused')
  expect(seen).toEqual({ pulled: 0, cancelled: 'unused' })
  await streamOf(() => Promise.reject(new Error('never'))).cancel()
})

test('a failure is the failure of the stream, and the source is let go', async () => {
  const bytes = await image(false)
  const { stream } = webStream(bytes.subarray(0, 250_000))
  expect(await failureOf(() => joined(rawStreamOf(stream, { drivers })))).toMatch(
    /^EIO (.*: )?the stream ends at byte 250000, and/,
  )
  const other = webStream(content())
  expect(await failureOf(() => joined(rawStreamOf(other.stream, { drivers, format: 'vmdk' })))).toBe(
    "ENOTSUP Unknown driver 'vmdk'",
  )
  const late = webStream(bytes)
  const broken = streamOf((sink) => writeRawStream(rawDiskStream(new ForwardBytes(chunksOf(late.stream)), 5), sink))
  expect(await failureOf(() => joined(broken))).toContain('the stream has more than the 5 bytes')
  const failing = streamOf(() => Promise.reject(new BlockError('ENOSPC', 'full')))
  expect(await failureOf(() => joined(failing))).toBe('ENOSPC full')
})

test('what is written belongs to the writer again, a Buffer too', async () => {
  const stream = streamOf(async (sink) => {
    for (const bytes of [new Uint8Array([1, 2]), Buffer.from([3, 4])]) {
      await sink.write(bytes)
      bytes.fill(0)
    }
  })
  expect([...(await joined(stream))]).toEqual([1, 2, 3, 4])
})
