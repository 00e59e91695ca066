/** Proves what a disk's stream says of itself: its pieces without gaps, its map, and errors that name the place. */

import { BlockError, createBlockGraph } from '@blocklayer/block-core'
import { filled, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { diskStream } from '../../src/stream/disk-stream.ts'
import { ForwardBytes } from '../../src/stream/forward-bytes.ts'
import { forwardNode } from '../../src/stream/forward-driver.ts'
import { chunksOf, failureOf } from './support.ts'

const MiB = 2 ** 20

test('an open disk can be read again, in pieces of bounded length', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  await using disk = await graph.open(memory(new MemoryStore(filled(1, 3 * MiB + 512))))
  const stream = diskStream(disk)
  expect(stream).toMatchObject({ length: 3 * MiB + 512, isRepeatable: true })
  for (const _ of [1, 2]) {
    let at = 0
    for await (const { offset, bytes, data } of stream.pieces()) {
      expect([offset, data?.length]).toEqual([at, bytes])
      expect(bytes).toBeLessThanOrEqual(MiB)
      at += bytes
    }
    expect(at).toBe(disk.length)
  }
  const runs: [number, number][] = []
  expect(await stream.scan?.((offset, bytes) => runs.push([offset, bytes]))).toBe(true)
  expect(runs.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(disk.length)
  expect(await stream.dataBytesMax?.()).toBeUndefined()
})

test('an error of the stream below names the place in the disk', async () => {
  const bytes = new ForwardBytes(chunksOf(filled(1, MiB), 1000))
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  await using disk = await graph.open(forwardNode(bytes), { readOnly: true })
  const message = await failureOf(async () => {
    for await (const piece of diskStream(disk, { bytes }).pieces()) expect(piece.bytes).toBe(MiB)
  })
  expect(message).toBe(
    'EIO error while reading at byte 1048576: the stream ends at byte 1048576, and byte 2097152 is needed',
  )
  expect(bytes.failure).toBeInstanceOf(BlockError)
})
