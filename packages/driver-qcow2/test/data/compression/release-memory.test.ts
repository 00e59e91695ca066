/** Proves that memory is given back where the runtime can, and that a share of a pool is told from a piece of its own. */

import { expect, test } from 'vitest'
import { hasOwnMemory, releaseMemory } from '../../../src/data/compression/release-memory.ts'

test('released memory is gone for every view of it', () => {
  const memory = new ArrayBuffer(4096)
  const [whole, part] = [new Uint8Array(memory), new Uint8Array(memory, 512, 512)]
  releaseMemory(part)
  expect([whole.length, part.length, memory.byteLength]).toEqual([0, 0, 0])
})

test('a runtime that cannot leaves it to the garbage collector', () => {
  const buffer = { byteLength: 8 } as ArrayBuffer
  expect(() => releaseMemory({ buffer } as Uint8Array)).not.toThrow()
})

test('a piece of its own', () => {
  expect(hasOwnMemory(new Uint8Array(100).subarray(0, 10), 100)).toBe(true)
  expect(hasOwnMemory(Buffer.allocUnsafe(100), 100)).toBe(false)
})
