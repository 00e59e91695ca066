// A new image reads as zeroes where its driver says so and no backing file shines through.
import { expect, test } from 'vitest'
import { createBlockGraph, readsZeroWhenNew } from '../../src/index.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { chain, world } from '../helpers/world.ts'

test('a driver that promises nothing gives no promise, memory gives its own', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(memory(new MemoryStore(512)))
  expect(await readsZeroWhenNew(disk.root)).toBe(true)
})

test('an overlay never reads as zeroes by itself', async () => {
  const here = world()
  await chain(here)
  const disk = await here.graph.open('top')
  expect(await readsZeroWhenNew(disk.root)).toBe(false)
  await here.graph.close()
})
