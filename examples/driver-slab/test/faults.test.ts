// Proves that growing harms nothing when a request of it fails: the disk is as long as before or as asked for, what was
// there is there, what is new is zero, and what was cut off before does not come back.
import { createBlockGraph } from '@blocklayer/block-core'
import { expectSameBytes, FaultStore, filled, forEachFault, MemoryFiles } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { slabDriver } from '../src/index.ts'

const [short, long] = [100 * 1024, 300 * 1024]

/** A graph over one image in memory, which was filled and then cut off at `short`. */
async function cutImage() {
  const files = new MemoryFiles({ newStore: (bytes) => new FaultStore(bytes) })
  const graph = createBlockGraph({ drivers: [files.driver, slabDriver], implicitOpen: 'deny' })
  await graph.create('slab', 'mem:disk', { size: long })
  const disk = await graph.open('mem:disk', { format: 'slab' })
  await disk.write(0, filled(7, long))
  await disk.truncate(short)
  await disk.flush()
  return { graph, disk, store: files.stores.get('disk') as FaultStore }
}

test.each([false, true])('growing with one request failing (for good: %s)', async (forGood) => {
  const faults = await forEachFault(async (index) => {
    const { graph, disk, store } = await cutImage()
    store.arm({ index, forGood, code: 'ENOSPC' })
    const failure = await disk.truncate(long).then(
      () => undefined,
      (error: Error) => error.message,
    )
    const { hit } = store
    store.disarm()
    expect(failure).toBe(hit ? 'No space left on device' : undefined)
    await disk.close()

    const again = await graph.open('mem:disk', { format: 'slab' })
    expect([short, long]).toContain(again.length)
    if (!hit) expect(again.length).toBe(long)
    await again.truncate(long)
    const content = filled(0xa5, long)
    await again.read(0, content)
    const expected = new Uint8Array(long)
    expected.fill(7, 0, short)
    expectSameBytes(content, expected, `request ${index} failed`)
    expect(await again.check()).toMatchObject({ corruptions: 0 })
    await graph.close()
    return hit
  })
  expect(faults).toBeGreaterThan(3)
})
