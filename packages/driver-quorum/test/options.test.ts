/** Proves which options go together, in which order they are checked, and in which words they are refused. */

import { nodeSpec, defineDriver } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { checkQuorumOptions, type QuorumOptions } from '../src/options.ts'

const child = nodeSpec(
  defineDriver({ formatName: 'x', kind: 'protocol', options: {}, open: () => Promise.reject() }),
  {},
)
const children = (count: number) => new Array<typeof child>(count).fill(child)
const plain = { isFifo: false, verifies: false, rewrites: false }

test.each<[QuorumOptions, object]>([
  [
    { children: children(1), voteThreshold: 1 },
    { ...plain, threshold: 1 },
  ],
  [
    { children: children(3), voteThreshold: 2n, readPattern: 'quorum' },
    { ...plain, threshold: 2 },
  ],
  [
    { children: children(3), voteThreshold: 2, rewriteCorrupted: true },
    { ...plain, threshold: 2, rewrites: true },
  ],
  [
    { children: children(2), voteThreshold: 2, blkverify: true },
    { ...plain, threshold: 2, verifies: true },
  ],
  [
    { children: children(3), voteThreshold: 2, readPattern: 'fifo', blkverify: true, rewriteCorrupted: true },
    { ...plain, threshold: 2, isFifo: true },
  ],
])('%# is good', (options, setting) => {
  expect(checkQuorumOptions(options)).toEqual(setting)
})

const unequal = 'blkverify=on can only be set if there are exactly two files and vote-threshold is 2'
test.each<[QuorumOptions, string]>([
  [{ voteThreshold: 0 }, 'Number of provided children must be 1 or more'],
  [{ children: [], voteThreshold: 0 }, 'Number of provided children must be 1 or more'],
  [{ children: children(3) }, "Parameter 'vote-threshold' expects a value >= 1"],
  [{ children: children(3), voteThreshold: -1 }, "Parameter 'vote-threshold' expects a value >= 1"],
  [{ children: children(3), voteThreshold: 2n ** 64n - 1n }, "Parameter 'vote-threshold' expects a value >= 1"],
  [{ children: children(3), voteThreshold: 4, readPattern: 'x' }, 'threshold may not exceed children count'],
  // The reference keeps 32 bits of this, and takes it for 2.
  [{ children: children(3), voteThreshold: 2 ** 32 + 2 }, 'threshold may not exceed children count'],
  [{ children: children(3), voteThreshold: 2, readPattern: 'x' }, 'Please set read-pattern as fifo or quorum'],
  [{ children: children(3), voteThreshold: 2, blkverify: true, rewriteCorrupted: true }, unequal],
  [{ children: children(2), voteThreshold: 1, blkverify: true }, unequal],
  [
    { children: children(2), voteThreshold: 2, blkverify: true, rewriteCorrupted: true },
    'rewrite-corrupted=on cannot be used with blkverify=on',
  ],
])('%# is not', (options, message) => {
  expect(() => checkQuorumOptions(options)).toThrow(expect.objectContaining({ message }))
})
