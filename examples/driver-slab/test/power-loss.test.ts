// Proves that no power cut breaks an image: whichever sectors of the requests since the last flush reached the disk, a
// check finds nothing, and every sector shows what was flushed or something written to it since.
import { createBlockGraph } from '@blocklayer/block-core'
import {
  filled,
  MemoryFiles,
  type MemoryStore,
  PowerLossStore,
  random,
  SectorHistory,
  seeds,
} from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { slabDriver } from '../src/index.ts'

const size = 256 * 1024

function openOn(store: MemoryStore, readOnly: boolean) {
  const files = new MemoryFiles()
  files.stores.set('disk', store)
  const graph = createBlockGraph({ drivers: [files.driver, slabDriver], implicitOpen: 'deny' })
  return graph.open('mem:disk', { format: 'slab', readOnly, unmap: true })
}

async function newImage(): Promise<Uint8Array> {
  const files = new MemoryFiles()
  await using graph = createBlockGraph({ drivers: [files.driver, slabDriver], implicitOpen: 'deny' })
  await graph.create('slab', 'mem:disk', { size, options: { cluster_size: 4096 } })
  return files.stores.get('disk')!.bytes()
}

test.each(seeds(1, 2, 3).map((seed) => [seed]))('a random history (seed %i)', async (seed) => {
  const store = new PowerLossStore(await newImage())
  const history = new SectorHistory(new Uint8Array(size))
  const choose = random(seed)
  const disk = await openOn(store, false)
  for (let step = 0; step < 20; step++) {
    const offset = choose.below(size / 512 - 32) * 512
    const bytes = (1 + choose.below(32)) * 512
    const value = choose.chance(0.3) ? 0 : 1 + choose.below(255)
    history.change(offset, bytes, value, store.currentInterval)
    if (value === 0) await disk.writeZeroes(offset, bytes, { mayUnmap: true })
    else await disk.write(offset, filled(value, bytes))
    if (choose.chance(0.8)) continue
    await disk.flush()
    history.flushed(store.currentInterval)
  }
  await disk.close()

  let states = 0
  for (const state of store.crashStates({ seed, tear: 512, exhaustive: 3, samples: 4 })) {
    const found = await openOn(state.store, false)
    const content = filled(0xa5, size)
    await found.read(0, content)
    history.verify(content, state.interval, state.name)
    expect(await found.check()).toMatchObject({ corruptions: 0 })
    await found.close()
    states++
  }
  expect(states).toBeGreaterThan(50)
})
