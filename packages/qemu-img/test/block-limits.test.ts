/** Proves that the limits told are those that a node's driver has, and no others. */

import { createBlockGraph } from '@blocklayer/block-core'
import { defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { blockLimits } from '../src/block-limits.ts'

const limited = defineDriver<object>({
  formatName: 'limited',
  kind: 'protocol',
  options: {},
  open: async () => ({
    length: 4096,
    limits: {
      requestAlignment: 512,
      maxTransfer: 65536,
      maxZeroes: 8192,
      zeroAlignment: 1024,
      maxDiscard: 2048,
      discardAlignment: 2048,
    },
    read: async (_offset, into) => void into.fill(0),
    close: async () => {},
  }),
})

const plain = defineDriver<object>({
  formatName: 'plain',
  kind: 'protocol',
  options: {},
  open: async () => ({ length: 512, read: async (_offset, into) => void into.fill(0), close: async () => {} }),
})

test('all that there are, and none where there are none', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const first = await graph.open(nodeSpec(limited, {}), { readOnly: true })
  expect(blockLimits(first.root)).toEqual({
    'request-alignment': 512,
    'max-discard': 2048,
    'discard-alignment': 2048,
    'max-write-zeroes': 8192,
    'write-zeroes-alignment': 1024,
    'max-transfer': 65536,
  })
  const second = await graph.open(nodeSpec(plain, {}), { readOnly: true })
  expect(blockLimits(second.root)).toEqual({ 'request-alignment': 1 })
})
