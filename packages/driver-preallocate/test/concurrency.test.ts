/** Proves that writers who grow the file together, out of step, lose nothing below each other's zeroes. */

import { ChildRoles, type ChildSpec, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import { expectSameBytes, MemoryStore, memory, random, seeds } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { filled, openBelowFormat } from './support.ts'

/** Awaits `pause` before and after every change. */
function unsteady(file: ChildSpec, pause: () => Promise<void>): NodeSpec {
  const driver = defineDriver<{ readonly file: ChildSpec }>({
    formatName: 'unsteady',
    kind: 'filter',
    options: { file: { name: 'file', type: 'node', help: '' } },
    async open(context, options) {
      const below = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
      const late = async (change: () => Promise<void>) => {
        await pause()
        await change()
        await pause()
      }
      return {
        get length() {
          return below.length
        },
        read: (offset, into) => below.read(offset, into),
        writer: {
          zeroFlags: { mayUnmap: true, noFallback: true },
          write: (offset, data) => late(() => below.write(offset, data)),
          writeZeroes: (offset, bytes, flags) => late(() => below.writeZeroes(offset, bytes, flags)),
          discard: (offset, bytes) => late(() => below.discard(offset, bytes)),
          truncate: (length, options) => late(() => below.truncate(length, options)),
          truncateFlags: { zeroNewArea: true },
        },
        close: async () => {},
      }
    },
  })
  return nodeSpec(driver, { file })
}

const stripe = 4096
const writers = 12
const rounds = 12

test.each(seeds(1, 2, 3, 4, 5))('seed %i', async (seed) => {
  const choose = random(seed)
  const pause = async () => {
    for (let turns = choose.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  }
  const store = new MemoryStore(0)
  const options = { preallocSize: choose.pick([0, 1000, 20_000]), preallocAlign: choose.pick([512, 4096, 65536]) }
  const { file, format } = await openBelowFormat(store, options, unsteady(memory(store), pause))
  const model = new Uint8Array(writers * rounds * stripe)
  let end = 0
  // Each writer has every twelfth stripe: it goes up through the file, beside the others.
  const work = Array.from({ length: writers }, async (_, writer) => {
    for (let round = 0; round < rounds; round++) {
      const from = (round * writers + writer) * stripe
      for (let step = choose.below(4); step >= 0; step--) {
        const offset = from + choose.below(stripe - 1)
        const bytes = 1 + choose.below(from + stripe - offset)
        const value = choose.chance(0.4) ? 0 : 1 + choose.below(255)
        end = Math.max(end, offset + bytes)
        model.fill(value, offset, offset + bytes)
        await (value === 0 ? file.writeZeroes(offset, bytes) : file.write(offset, filled(value, bytes)))
      }
      await pause()
    }
  })
  await Promise.all(work)
  const seen = filled(0xa5, end)
  await file.read(0, seen)
  expectSameBytes(seen, model.subarray(0, end), 'through the node')
  await format.close()
  // The last request decides where the file ends; a zero write may have ended it in the tail.
  expect(store.length).toBe(end)
  expectSameBytes(store.bytes(), model.subarray(0, end), 'in the file')
})
