/** Proves what is asked of a driver that measures, and what is said of one that cannot. */

import { expect, test } from 'vitest'
import { type AnyDriver, defineDriver } from '../../src/driver/block-driver.ts'
import { createBlockGraph } from '../../src/graph/block-graph.ts'
import { measureImage } from '../../src/graph/measure.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'

const open = () => Promise.reject(new Error('never opened'))
const create = { options: { twice: { name: 'twice', type: 'bool', help: '' } }, run: async () => {} } as const
const plain = { kind: 'format', options: {}, open } as const
const counting = defineDriver<Record<never, never>, { twice?: boolean }>({
  ...plain,
  formatName: 'counting',
  create: {
    ...create,
    async measure({ twice }, source) {
      let required = 0n
      for await (const { bytes } of source.dataRanges()) required += BigInt(bytes) * (twice === true ? 2n : 1n)
      return { required, fullyAllocated: source.size, ...(source.bitmaps && { bitmaps: 7n }) }
    },
  },
})
const drivers: readonly AnyDriver[] = [
  counting,
  defineDriver<Record<never, never>, Record<never, never>>({
    ...plain,
    formatName: 'silent',
    create: { options: {}, run: async () => {} },
  }),
  defineDriver<Record<never, never>>({ ...plain, formatName: 'read-only' }),
]

test('a size alone, and a source', async () => {
  expect(await measureImage(drivers, 'counting', { size: 4096 })).toEqual({ required: 0n, fullyAllocated: 4096n })
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const store = new MemoryStore(65536)
  const source = await graph.open(memory(store))
  await source.write(0, new Uint8Array(4096).fill(1))
  const measured = await measureImage(drivers, 'counting', { source, options: { twice: true } })
  expect(measured.fullyAllocated).toBe(65536n)
  expect(measured.required).toBeGreaterThanOrEqual(8192n)
})

test.each([
  { format: 'none', options: {}, message: "Unknown file format 'none'" },
  { format: 'read-only', options: {}, message: "Format driver 'read-only' does not support image creation" },
  { format: 'silent', options: {}, message: "Block driver 'silent' does not support size measurement" },
  { format: 'counting', options: { foo: 1 }, message: "Invalid parameter 'foo'" },
])('$message', async ({ format, options, message }) => {
  await expect(measureImage(drivers, format, { size: 1, options })).rejects.toThrow(message)
})

test.each([-1, 0.5, Number.NaN])('a size of %d', async (size) => {
  const message = "Parameter 'size' expects a non-negative number below 2^64"
  await expect(measureImage(drivers, 'counting', { size })).rejects.toMatchObject({ code: 'EINVAL', message })
})

test('looking through a source can be stopped', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const source = await graph.open(memory(new MemoryStore(65536)))
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(measureImage(drivers, 'counting', { source, signal })).rejects.toThrow('enough')
})

test('looking through a source is told in its bytes', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const source = await graph.open(memory(new MemoryStore(65536)))
  await source.write(8192, new Uint8Array(4096).fill(1))
  const told: { current: number; total: number }[] = []
  await measureImage(drivers, 'counting', { source, onProgress: (progress) => told.push(progress) })
  expect(told.at(-1)).toEqual({ current: 65536, total: 65536 })
  expect(told.every(({ current }, at) => current > (told[at - 1]?.current ?? 0))).toBe(true)
})
