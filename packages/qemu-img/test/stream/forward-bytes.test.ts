/** Proves what of a stream can be read when: forwards always, backwards as far as it was kept, behind the end not. */

import { BlockError } from '@blocklayer/block-core'
import { expectSameBytes } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { ForwardBytes } from '../../src/stream/forward-bytes.ts'
import { chunksOf, failureOf, noise } from './support.ts'

const MiB = 2 ** 20
const length = 3 * MiB

const open = (keepMax: number, chunkBytes = 50_000): ForwardBytes =>
  new ForwardBytes(chunksOf(noise(0, length), chunkBytes), { keepMax })

async function read(stream: ForwardBytes, offset: number, bytes: number): Promise<void> {
  const into = new Uint8Array(bytes)
  await stream.read(offset, into)
  expectSameBytes(into, noise(offset, bytes), `${bytes} bytes at ${offset}`)
}

test('what was passed by is kept, and so is the end of what was read last', async () => {
  const stream = open(MiB)
  await read(stream, 500_000, 100_000)
  await read(stream, 599_000, 200_000)
  await read(stream, 0, 500_000)
  await read(stream, 100, 1000)
  await read(stream, 900_000, 10)
  // The end of what was read before it was passed on from.
  await read(stream, 798_900, 100_000)
  expect(stream.position).toBe(900_010)
})

test('what is gone is an error that says where', async () => {
  const stream = open(100_000)
  await read(stream, MiB, 1000)
  expect(await failureOf(() => read(stream, 0, 10))).toBe(
    'ESPIPE byte 0 of the stream is needed when byte 1049576 has been reached, and at most 100000 bytes are kept: ' +
      'the image is not in the order of the disk',
  )
  expect(stream.failure?.code).toBe('ESPIPE')
})

test('holding keeps what is read as well, until there is no more room', async () => {
  const stream = open(MiB)
  stream.hold()
  await read(stream, 100, 1000)
  await read(stream, 200_000, 1000)
  await read(stream, 0, 1100)
  expect(stream.release()).toBeUndefined()
  stream.hold()
  const message =
    'ESPIPE a table at byte 2097152 of the stream lies behind more data than the 1048576 bytes that are kept'
  expect(await failureOf(() => read(stream, 2 * MiB, 10))).toBe(message)
  expect(stream.release()?.message).toBe(message.slice('ESPIPE '.length))
  // Nothing was lost by trying.
  await read(stream, 0, 1100)
  await read(stream, 200_000, 1000)
  expect(stream.failure).toBeUndefined()
})

test('what is read piece by piece has no more room than what is passed', async () => {
  const stream = open(MiB)
  stream.hold()
  const readAll = async (): Promise<void> => {
    for (let offset = 0; offset < 4 * MiB; offset += 65536) await read(stream, offset, 65536)
  }
  expect(await failureOf(readAll)).toContain('ESPIPE a table at byte')
  expect(stream.release()?.code).toBe('ESPIPE')
})

test('a stream that ends early is an error, and were it by the end of a sector of compressed data', async () => {
  const into = new Uint8Array(2000).fill(1)
  for (const [offset, bytes] of [
    [length - 10, 11],
    [length - 10, 522],
    [length - 512, 513],
    [length + 100, 10],
  ] as const) {
    const stream = open(MiB)
    const message = await failureOf(() => stream.read(offset, into.subarray(0, bytes)))
    expect(message).toMatch(/^EIO the stream ends at byte 3145728, and byte \d+ is needed$/)
    expect(stream.failure?.code).toBe('EIO')
  }
})

test('the first bytes can be looked at beforehand, and come again', async () => {
  const stream = open(MiB, 10)
  expectSameBytes(await stream.peek(35), noise(0, 35), 'the begin')
  await read(stream, 0, 100)
  expect((await new ForwardBytes(chunksOf(noise(0, 20), 7)).peek(512)).length).toBe(20)
})

test('the next bytes come as they are, fewer at the end', async () => {
  const stream = new ForwardBytes(chunksOf(noise(0, 25), 7))
  const into = new Uint8Array(20)
  expect([await stream.next(into), await stream.next(into), await stream.next(into)]).toEqual([20, 5, 0])
})

test('requests at the same time are served in their order; closing lets go of the source', async () => {
  const state = { closed: false }
  const stream = new ForwardBytes(chunksOf(noise(0, length), 1000, state), { keepMax: 0 })
  await Promise.all([read(stream, 0, 5000), read(stream, 5000, 5000), read(stream, 10_000, 5000)])
  await stream.close()
  expect(state.closed).toBe(true)
})

test('what the source of the stream reports is what failed', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(100)
    throw new BlockError('EIO', 'no more')
  }
  for (const attempt of [
    (stream: ForwardBytes) => stream.peek(101),
    (stream: ForwardBytes) => stream.read(0, new Uint8Array(101)),
  ]) {
    const stream = new ForwardBytes(broken())
    expect(await failureOf(() => attempt(stream))).toBe('EIO no more')
    expect(stream.failure?.message).toBe('no more')
  }
})
