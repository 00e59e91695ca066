/** Proves that a stream is a node that is read, longer than any image, and let go of when it is closed. */

import { createBlockGraph } from '@blocklayer/block-core'
import { expectSameBytes } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { ForwardBytes } from '../../src/stream/forward-bytes.ts'
import { forwardNode } from '../../src/stream/forward-driver.ts'
import { chunksOf, noise } from './support.ts'

test('reads are served in order, and closing ends the stream', async () => {
  const state = { closed: false }
  const bytes = new ForwardBytes(chunksOf(noise(0, 100_000), 1000, state))
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(forwardNode(bytes), { readOnly: true })
  expect(disk.length).toBeGreaterThan(2 ** 50)
  const into = new Uint8Array(5000)
  await disk.read(3000, into)
  expectSameBytes(into, noise(3000, 5000), 'the stream')
  await graph.close()
  expect(state.closed).toBe(true)
})
